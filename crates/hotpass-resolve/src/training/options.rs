//! What expectation–maximisation is asked to do.

/// How one run of expectation–maximisation works.
///
/// [`EmOptions::default`] is the recommended way; [`EmOptions::splink`] does what Splink does, number for number.
#[derive(Debug, Clone, PartialEq)]
pub struct EmOptions {
    /// The training rule, for the report.
    pub rule: Option<String>,
    /// Which comparisons take part, in the model's order; empty means all. Those that read a column of the training
    /// rule must not: inside the block they always agree.
    pub active: Vec<bool>,
    /// λ to start from; the model's if absent. Inside a block matches are more frequent than among all pairs.
    pub starting_prior: Option<f64>,
    /// Leaves every m alone.
    pub fix_m: bool,
    /// Leaves every u alone; on by default, since u is estimated better from random pairs.
    pub fix_u: bool,
    /// Leaves λ alone.
    pub fix_prior: bool,
    /// Ignores term frequencies, so that only the levels count.
    pub without_term_frequencies: bool,
    /// Number of starting points, at least 1. The first is the model's present values, the others are drawn from `seed`.
    pub starts: u32,
    /// Seed of the further starting points.
    pub seed: u64,
    /// Strength of the Dirichlet prior in pairs per comparison, shared equally by its levels; 0 for none (Splink).
    ///
    /// One pair (the default) keeps every observed level above zero and moves an estimate from 1,000 matches by less
    /// than 0.001.
    pub smoothing: f64,
    /// An order that the levels of each comparison must keep.
    pub order: OrderConstraint,
    /// Lets the levels that are not fixed share what the fixed ones leave, so that m and u sum to 1. Splink does not.
    pub normalise_with_fixed: bool,
    /// Keeps the u that term frequencies are compared with at its starting value while u itself is estimated, which
    /// makes the likelihood well defined. Splink moves it along.
    pub hold_term_frequency_base: bool,
    /// Stop when no m, u or λ moved by more than this; the model's setting if absent.
    pub convergence: Option<f64>,
    /// Stop after this many iterations; the model's setting if absent.
    pub max_iterations: Option<u32>,
    /// Pairs whose truth is known: they count towards m and u with their label instead of the model's opinion. Leave
    /// them out of the pattern counts, or they count twice.
    pub labelled: Vec<LabelledPattern>,
}

impl Default for EmOptions {
    /// Eight starts, smoothing of one pair, m estimated, u fixed.
    fn default() -> Self {
        Self {
            rule: None,
            active: Vec::new(),
            starting_prior: None,
            fix_m: false,
            fix_u: true,
            fix_prior: false,
            without_term_frequencies: false,
            starts: 8,
            seed: 1,
            smoothing: 1.0,
            order: OrderConstraint::None,
            normalise_with_fixed: true,
            hold_term_frequency_base: true,
            convergence: None,
            max_iterations: None,
            labelled: Vec::new(),
        }
    }
}

impl EmOptions {
    /// What Splink does: one start, no smoothing, no rescaling beside fixed levels.
    pub fn splink() -> Self {
        Self {
            starts: 1,
            smoothing: 0.0,
            normalise_with_fixed: false,
            hold_term_frequency_base: false,
            ..Self::default()
        }
    }
}

/// An order that the levels of a comparison keep from the most specific to the last.
///
/// Both are maximum likelihood under the order, by the pool-adjacent-violators algorithm: for m the isotonic regression
/// of the expected counts, for weights that of m / u weighted by u (Robertson, Wright and Dykstra, *Order Restricted
/// Statistical Inference*, 1988, sections 1.2 and 1.5). So the likelihood still never falls. Fixed and never observed
/// levels stand outside the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OrderConstraint {
    /// None.
    #[default]
    None,
    /// m does not rise from one level to the next.
    NonIncreasingM,
    /// The match weight does not rise from one level to the next; needs a fixed u.
    NonIncreasingWeight,
}

/// Pairs of known truth with the same levels.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledPattern {
    /// For each comparison the index of the pair's level.
    pub levels: Box<[u8]>,
    /// Probability that they match, as a person judged: from 0 to 1.
    pub clerical_match_score: f64,
    /// Number of pairs.
    pub count: f64,
}
