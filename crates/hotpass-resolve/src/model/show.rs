//! A model for people: one row a level, and the same as plain text.

use std::fmt;

use super::{BlockingKind, BlockingRule, LinkType, LinkageModel};

/// Characters of a bar on either side of the axis.
const BAR: usize = 12;
/// Labels are cut after this many characters.
const LABEL: usize = 48;

/// What a model says, made ready for a table.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelSummary {
    /// The identity of the model.
    pub uid: Option<String>,
    /// How records pair up.
    pub link_type: LinkType,
    /// λ: the probability that two random records match.
    pub probability_two_random_records_match: f64,
    /// The weight that λ starts every pair with, log2(λ / (1 - λ)), in bits.
    pub prior_match_weight: f64,
    /// The levels of all comparisons, in order.
    pub levels: Vec<LevelSummary>,
    /// The blocking rules, in order, each as a line.
    pub blocking_rules: Vec<String>,
}

/// One level of one comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelSummary {
    /// The comparison's name.
    pub comparison: String,
    /// The comparison vector value: -1 for the null level, 0 for the last.
    pub comparison_vector_value: i32,
    /// The level's label, by default its condition.
    pub label: String,
    /// The level's condition.
    pub sql_condition: String,
    /// m, trained or not; nothing for the null level.
    pub m_probability: Option<f64>,
    /// u, trained or not; nothing for the null level.
    pub u_probability: Option<f64>,
    /// Whether both m and u stand in the model; true for the null level, which has none.
    pub is_trained: bool,
    /// log2(m / u), in bits; 0 for the null level.
    pub match_weight: f64,
    /// The column whose value frequencies adjust the weight.
    pub term_frequency_column: Option<String>,
}

/// Summarises a model: its prior, the probabilities and weight of every level, its blocking rules.
pub fn describe(model: &LinkageModel) -> ModelSummary {
    let prior = model.probability_two_random_records_match;
    let mut levels = Vec::new();
    for comparison in &model.comparisons {
        for (index, level) in comparison.levels.iter().enumerate() {
            levels.push(LevelSummary {
                comparison: comparison.output_column_name.clone(),
                comparison_vector_value: comparison.vector_value(index),
                label: level.label.clone().unwrap_or_else(|| level.sql_condition.clone()),
                sql_condition: level.sql_condition.clone(),
                m_probability: comparison.m_probability(index),
                u_probability: comparison.u_probability(index),
                is_trained: level.is_null_level || (level.m_probability.is_some() && level.u_probability.is_some()),
                match_weight: comparison.match_weight(index),
                term_frequency_column: level.term_frequency.as_ref().map(|adjustment| adjustment.column.clone()),
            });
        }
    }
    ModelSummary {
        uid: model.uid.clone(),
        link_type: model.link_type,
        probability_two_random_records_match: prior,
        prior_match_weight: (prior / (1.0 - prior)).log2(),
        levels,
        blocking_rules: model.blocking_rules.iter().map(ToString::to_string).collect(),
    }
}

impl fmt::Display for ModelSummary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Linkage model")?;
        if let Some(uid) = &self.uid {
            write!(formatter, " `{uid}`")?;
        }
        let prior = self.probability_two_random_records_match;
        writeln!(formatter, ", {}", self.link_type)?;
        writeln!(
            formatter,
            "Probability that two random records match: {} (prior weight {:+.2})",
            number(prior),
            self.prior_match_weight
        )?;
        let longest = self.levels.iter().map(|level| cut(&level.label).chars().count()).max().unwrap_or_default();
        let scale = self
            .levels
            .iter()
            .map(|level| level.match_weight.abs())
            .filter(|weight| weight.is_finite())
            .fold(1.0, f64::max);
        let mut comparison = None;
        for level in &self.levels {
            if comparison != Some(&level.comparison) {
                comparison = Some(&level.comparison);
                writeln!(formatter, "\n{}", level.comparison)?;
                let (label, axis) = ("level", "match weight");
                writeln!(formatter, "  value  {label:longest$}  {:>9}  {:>9}  {axis}", "m", "u")?;
            }
            level.write(formatter, longest.max(5), scale)?;
        }
        if self.levels.iter().any(|level| !level.is_trained) {
            writeln!(formatter, "\n* not trained: the probabilities are those that training starts from")?;
        }
        if !self.blocking_rules.is_empty() {
            writeln!(formatter, "\nBlocking rules")?;
        }
        for (index, rule) in self.blocking_rules.iter().enumerate() {
            writeln!(formatter, "  {:>5}  {rule}", index + 1)?;
        }
        Ok(())
    }
}

impl LevelSummary {
    fn write(&self, formatter: &mut fmt::Formatter<'_>, longest: usize, scale: f64) -> fmt::Result {
        let probability = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), number);
        let mark = if self.is_trained { ' ' } else { '*' };
        let line = format!(
            "  {:>5}  {:longest$}  {:>9}  {:>9} {mark}{:>+7.2} {}{}",
            self.comparison_vector_value,
            cut(&self.label),
            probability(self.m_probability),
            probability(self.u_probability),
            self.match_weight,
            bar(self.match_weight, scale),
            self.term_frequency_column.as_ref().map(|column| format!("  tf {column}")).unwrap_or_default(),
        );
        writeln!(formatter, "{}", line.trim_end())
    }
}

/// Draws a weight as hashes to the left or the right of an axis, at least one for a weight that does not round to 0.
fn bar(weight: f64, scale: f64) -> String {
    let length = (weight.abs() / scale * BAR as f64).round().clamp(0.0, BAR as f64) as usize;
    let length = if weight.abs() >= 0.005 { length.max(1) } else { length };
    let hashes = "#".repeat(length);
    let (left, right) = if weight < 0.0 { (hashes, String::new()) } else { (String::new(), hashes) };
    format!("{left:>BAR$}|{right:<BAR$}")
}

fn cut(label: &str) -> String {
    let line = label.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LABEL {
        return line;
    }
    line.chars().take(LABEL - 1).chain(['…']).collect()
}

fn number(value: f64) -> String {
    if value == 0.0 || value.abs() >= 0.001 { format!("{value:.4}") } else { format!("{value:.2e}") }
}

impl fmt::Display for BlockingRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            BlockingKind::Sql(sql) => formatter.write_str(sql)?,
            BlockingKind::SortedNeighbourhood { key, window } => {
                write!(formatter, "sorted neighbourhood of {window} records by {key}")?;
            }
            BlockingKind::QGramLsh { text, q, bands, rows_per_band } => {
                write!(formatter, "MinHash over {q}-grams of {text}, {bands} bands of {rows_per_band} rows")?;
            }
            BlockingKind::Tokens { text, minimum_shared, maximum_records } => {
                write!(
                    formatter,
                    "{minimum_shared} shared tokens of {text}, each in at most {maximum_records} records"
                )?;
            }
        }
        if !self.arrays_to_explode.is_empty() {
            write!(formatter, ", exploding {}", self.arrays_to_explode.join(", "))?;
        }
        if let Some(refine) = &self.refine_large_blocks {
            write!(formatter, ", and {} in blocks of more than {} records", refine.sql, refine.more_records_than)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Comparison, ComparisonLevel, TermFrequencyAdjustment};
    use super::*;

    #[test]
    fn the_text_shows_weights_as_bars() {
        let mut null = ComparisonLevel::new("name_l IS NULL OR name_r IS NULL");
        (null.label, null.is_null_level) = (Some("name is null".to_owned()), true);
        let mut exact = ComparisonLevel::new("name_l = name_r");
        (exact.m_probability, exact.u_probability) = (Some(0.8), Some(0.0001));
        exact.term_frequency = Some(TermFrequencyAdjustment {
            column: "name".to_owned(),
            weight: 1.0,
            minimum_u: 0.0,
            disable_exact_match_detection: false,
        });
        let mut other = ComparisonLevel::new("ELSE");
        other.m_probability = Some(0.2);
        let levels = vec![null, exact, other];
        let model = LinkageModel::new(LinkType::LinkOnly)
            .compare(Comparison { output_column_name: "name".to_owned(), description: None, levels })
            .block_on("l.name = r.name");
        let text = describe(&model).to_string();
        let expected = "\
Linkage model, link_only
Probability that two random records match: 1.00e-4 (prior weight -13.29)

name
  value  level                    m          u  match weight
     -1  name is null             -          -    +0.00             |
      1  name_l = name_r     0.8000    1.00e-4   +12.97             |############  tf name
      0  ELSE                0.2000     1.6000 *  -3.00          ###|

* not trained: the probabilities are those that training starts from

Blocking rules
      1  l.name = r.name
";
        assert_eq!(text, expected, "\n{text}");
    }
}
