//! Comparisons: a null level, levels from the most specific down, and the catch-all.
//!
//! Those that Splink has bear its names and give its SQL, labels and descriptions. Missing thresholds mean a comparison without
//! the levels they would make.

use super::levels::{
    DateInput, LevelBuilder, StringDistance, TimeMetric, absolute_date_difference_level, absolute_difference_level,
    absolute_time_difference_level, and, array_intersect_level, columns_reversed_level, cosine_similarity_level,
    damerau_levenshtein_level, distance_function_level, distance_in_km_level, else_level, exact_match_level,
    haversine_distance_level, jaccard_level, jaro_level, jaro_winkler_level, levenshtein_level, monge_elkan_level,
    nickname_level, null_level, null_level_with_valid_pattern, or, organization_similarity_level,
    pairwise_string_distance_function_level, percentage_difference_level, qgram_dice_level, qgram_jaccard_level,
    soft_tfidf_level, tfidf_cosine_level, token_cosine_level, token_jaccard_level,
};
use super::number::Threshold;
use super::transforms::{ColumnExpression, DATE_FORMAT, TIMESTAMP_FORMAT};
use crate::model::Comparison;

/// A comparison in the making.
///
/// ```
/// use hotpass_resolve::library::jaro_winkler_at_thresholds;
/// use hotpass_resolve::model::Comparison;
///
/// let comparison = jaro_winkler_at_thresholds("surname", [0.9, 0.8])
///     .term_frequency_adjustments()
///     .m_probabilities([0.8, 0.1, 0.05, 0.05])?;
/// let comparison = Comparison::from(comparison);
/// assert_eq!(comparison.levels[2].sql_condition, r#"jaro_winkler_similarity("surname_l", "surname_r") >= 0.9"#);
/// assert_eq!(comparison.levels[2].m_probability, Some(0.1));
/// # Ok::<(), hotpass_resolve::library::LibraryError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ComparisonBuilder {
    output_column_name: String,
    description: String,
    levels: Vec<LevelBuilder>,
}

/// Why a comparison cannot be made as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LibraryError {
    /// There must be a probability for each level that is not a null level.
    #[error(
        "Comparison `{comparison}` has {n_levels} levels beside its null level, but the number of {kind} probabilities given is: {n_values}"
    )]
    ProbabilityCount {
        /// The comparison's name.
        comparison: String,
        /// `m` or `u`.
        kind: &'static str,
        /// Number of levels that take a probability.
        n_levels: usize,
        /// Number of probabilities given.
        n_values: usize,
    },
}

/// What a comparison of names may look at besides spelling.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum NameSound {
    /// Nothing.
    #[default]
    Ignored,
    /// The Double Metaphone codes that a column of arrays holds.
    Column(ColumnExpression),
    /// The Double Metaphone codes, computed.
    DoubleMetaphone,
}

/// Choices of [`name_comparison_with`].
#[derive(Debug, Clone, PartialEq)]
pub struct NameOptions {
    /// Jaro–Winkler similarities, from the most similar down; 0.92, 0.88 and 0.7 by default.
    pub jaro_winkler_thresholds: Vec<Threshold>,
    /// A level for names that sound alike, between the similarities from 0.88 and those below.
    pub sound: NameSound,
    /// A level for given names that stand for one full name, above the one for names that sound alike.
    pub nicknames: bool,
}

/// Choices of [`postcode_comparison_with`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PostcodeOptions {
    /// A text that is not a whole postcode of the United Kingdom is missing data.
    pub invalid_as_null: bool,
    /// Coordinates, and the distances in km that stand in for district and area.
    pub distances: Option<PostcodeDistances>,
}

/// Coordinates of a postcode.
#[derive(Debug, Clone, PartialEq)]
pub struct PostcodeDistances {
    /// Degrees of latitude.
    pub latitude: ColumnExpression,
    /// Degrees of longitude.
    pub longitude: ColumnExpression,
    /// Distances in km from the smallest up; Splink's are 1, 10 and 100.
    pub thresholds: Vec<Threshold>,
}

/// A phonetic code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PhoneticCode {
    /// American Soundex.
    Soundex,
    /// Metaphone.
    Metaphone,
    /// Double Metaphone: a code shared is enough.
    DoubleMetaphone,
    /// NYSIIS.
    Nysiis,
    /// Cologne phonetics.
    Cologne,
    /// Beider–Morse: a code shared is enough.
    #[cfg(feature = "beider-morse")]
    BeiderMorse,
}

impl ComparisonBuilder {
    fn new(name: impl Into<String>, description: impl Into<String>, levels: Vec<LevelBuilder>) -> Self {
        Self { output_column_name: name.into(), description: description.into(), levels }
    }

    /// Sets the name in output columns.
    #[must_use]
    pub fn output_column_name(mut self, name: impl Into<String>) -> Self {
        self.output_column_name = name.into();
        self
    }

    /// Sets the sentence for people.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Replaces u by the frequency of the value at each level that is an exact match on just a column, untransformed.
    #[must_use]
    pub fn term_frequency_adjustments(mut self) -> Self {
        for level in &mut self.levels {
            if let Some(column) = level.exact_column.clone() {
                *level = level.clone().term_frequency_column(column);
            }
        }
        self
    }

    /// Sets m of each level from the first down, the null level left out.
    ///
    /// # Errors
    ///
    /// [`LibraryError::ProbabilityCount`] if there are more or fewer than levels.
    pub fn m_probabilities(self, values: impl IntoIterator<Item = f64>) -> Result<Self, LibraryError> {
        self.probabilities("m", values, LevelBuilder::m_probability)
    }

    /// Sets u of each level from the first down, the null level left out.
    ///
    /// # Errors
    ///
    /// [`LibraryError::ProbabilityCount`] if there are more or fewer than levels.
    pub fn u_probabilities(self, values: impl IntoIterator<Item = f64>) -> Result<Self, LibraryError> {
        self.probabilities("u", values, LevelBuilder::u_probability)
    }

    fn probabilities(
        mut self,
        kind: &'static str,
        values: impl IntoIterator<Item = f64>,
        set: fn(LevelBuilder, f64) -> LevelBuilder,
    ) -> Result<Self, LibraryError> {
        let values: Vec<f64> = values.into_iter().collect();
        let n_levels = self.levels.iter().filter(|level| !level.is_null_level()).count();
        if values.len() != n_levels {
            return Err(LibraryError::ProbabilityCount {
                comparison: self.output_column_name,
                kind,
                n_levels,
                n_values: values.len(),
            });
        }
        for (level, value) in self.levels.iter_mut().filter(|level| !level.is_null_level()).zip(values) {
            *level = set(level.clone(), value);
        }
        Ok(self)
    }
}

impl From<ComparisonBuilder> for Comparison {
    fn from(builder: ComparisonBuilder) -> Self {
        Self {
            output_column_name: builder.output_column_name,
            description: Some(builder.description),
            levels: builder.levels.into_iter().map(Into::into).collect(),
        }
    }
}

/// Puts a null level before some levels and the catch-all after them.
fn around(null: LevelBuilder, levels: impl IntoIterator<Item = LevelBuilder>) -> Vec<LevelBuilder> {
    std::iter::once(null).chain(levels).chain([else_level()]).collect()
}

/// Compares one column: null, exact, a level for each threshold, else.
fn at_thresholds<T: Into<Threshold>>(
    column: impl Into<ColumnExpression>,
    description: &str,
    thresholds: impl IntoIterator<Item = T>,
    level: impl Fn(ColumnExpression, Threshold) -> LevelBuilder,
) -> ComparisonBuilder {
    let column = column.into();
    let exact = exact_match_level(&column);
    let levels =
        std::iter::once(exact).chain(thresholds.into_iter().map(|threshold| level(column.clone(), threshold.into())));
    ComparisonBuilder::new(column.output_column_name(), description, around(null_level(&column), levels))
}

/// Equal or not.
pub fn exact_match(column: impl Into<ColumnExpression>) -> ComparisonBuilder {
    at_thresholds(column, "ExactMatch", [0_i64; 0], levenshtein_level)
}

/// Equal, then Levenshtein distances from the smallest up; Splink's are 1 and 2.
pub fn levenshtein_at_thresholds<T: Into<Threshold>>(
    column: impl Into<ColumnExpression>,
    thresholds: impl IntoIterator<Item = T>,
) -> ComparisonBuilder {
    at_thresholds(column, "LevenshteinAtThresholds", thresholds, levenshtein_level)
}

/// Equal, then Damerau–Levenshtein distances from the smallest up; Splink's are 1 and 2.
pub fn damerau_levenshtein_at_thresholds<T: Into<Threshold>>(
    column: impl Into<ColumnExpression>,
    thresholds: impl IntoIterator<Item = T>,
) -> ComparisonBuilder {
    let column = column.into();
    let thresholds: Vec<Threshold> = thresholds.into_iter().map(Into::into).collect();
    let description = format!(
        "Exact match '{}' vs. Damerau-Levenshtein distance at thresholds {} vs. anything else",
        column.label(),
        listed(&thresholds)
    );
    at_thresholds(column, &description, thresholds, damerau_levenshtein_level)
}

/// Equal, then Jaro similarities from the largest down; Splink's are 0.9 and 0.7.
pub fn jaro_at_thresholds<T: Into<Threshold>>(
    column: impl Into<ColumnExpression>,
    thresholds: impl IntoIterator<Item = T>,
) -> ComparisonBuilder {
    at_thresholds(column, "JaroAtThresholds", thresholds, jaro_level)
}

/// Equal, then Jaro–Winkler similarities from the largest down; Splink's are 0.9 and 0.7.
pub fn jaro_winkler_at_thresholds<T: Into<Threshold>>(
    column: impl Into<ColumnExpression>,
    thresholds: impl IntoIterator<Item = T>,
) -> ComparisonBuilder {
    at_thresholds(column, "JaroWinklerAtThresholds", thresholds, jaro_winkler_level)
}

/// Equal, then Jaccard similarities of the sets of characters from the largest down; Splink's are 0.9 and 0.7.
pub fn jaccard_at_thresholds<T: Into<Threshold>>(
    column: impl Into<ColumnExpression>,
    thresholds: impl IntoIterator<Item = T>,
) -> ComparisonBuilder {
    at_thresholds(column, "JaccardAtThresholds", thresholds, jaccard_level)
}

/// Equal, then thresholds on a function of two values by its name in SQL.
pub fn distance_function_at_thresholds<T: Into<Threshold>>(
    column: impl Into<ColumnExpression>,
    function: &str,
    thresholds: impl IntoIterator<Item = T>,
    higher_is_more_similar: bool,
) -> ComparisonBuilder {
    at_thresholds(column, "DistanceFunctionAtThresholds", thresholds, |column, threshold| {
        distance_function_level(column, function, threshold, higher_is_more_similar)
    })
}

/// Arrays of text: an element shared, then thresholds on the most similar pair of elements.
pub fn pairwise_string_distance_at_thresholds<T: Into<Threshold>>(
    column: impl Into<ColumnExpression>,
    function: StringDistance,
    thresholds: impl IntoIterator<Item = T>,
) -> ComparisonBuilder {
    let column = column.into();
    let thresholds: Vec<Threshold> = thresholds.into_iter().map(Into::into).collect();
    let name = match function {
        StringDistance::Levenshtein => "levenshtein",
        StringDistance::DamerauLevenshtein => "damerau_levenshtein",
        StringDistance::Jaro => "jaro",
        StringDistance::JaroWinkler => "jaro_winkler",
    };
    let plural = if thresholds.len() > 1 { "s" } else { "" };
    let description =
        format!("Pairwise {name} distance at threshold{plural} {} vs. anything else", listed(&thresholds));
    let levels = std::iter::once(array_intersect_level(&column, 1)).chain(
        thresholds.iter().map(|threshold| pairwise_string_distance_function_level(&column, function, *threshold)),
    );
    ComparisonBuilder::new(column.output_column_name(), description, around(null_level(&column), levels))
}

/// Timestamps: equal, then elapsed times from the shortest up.
pub fn absolute_time_difference_at_thresholds<T: Into<Threshold>>(
    column: impl Into<ColumnExpression>,
    input: &DateInput,
    thresholds: impl IntoIterator<Item = (T, TimeMetric)>,
) -> ComparisonBuilder {
    let column = column.into();
    let null = null_level(input.null_column(column.clone(), TIMESTAMP_FORMAT));
    let levels = std::iter::once(exact_match_level(&column)).chain(
        thresholds
            .into_iter()
            .map(|(threshold, metric)| absolute_time_difference_level(&column, input, threshold, metric)),
    );
    ComparisonBuilder::new(column.output_column_name(), "AbsoluteTimeDifferenceAtThresholds", around(null, levels))
}

/// Dates: equal, then elapsed times from the shortest up.
pub fn absolute_date_difference_at_thresholds<T: Into<Threshold>>(
    column: impl Into<ColumnExpression>,
    input: &DateInput,
    thresholds: impl IntoIterator<Item = (T, TimeMetric)>,
) -> ComparisonBuilder {
    let column = column.into();
    let null = null_level(input.null_column(column.clone(), DATE_FORMAT));
    let levels = std::iter::once(exact_match_level(&column)).chain(
        thresholds
            .into_iter()
            .map(|(threshold, metric)| absolute_date_difference_level(&column, input, threshold, metric)),
    );
    ComparisonBuilder::new(column.output_column_name(), "AbsoluteDateDifferenceAtThresholds", around(null, levels))
}

/// Arrays: numbers of shared elements from the largest down; Splink's is 1.
pub fn array_intersect_at_sizes(
    column: impl Into<ColumnExpression>,
    sizes: impl IntoIterator<Item = u32>,
) -> ComparisonBuilder {
    let column = column.into();
    let levels = sizes.into_iter().map(|size| array_intersect_level(&column, size));
    ComparisonBuilder::new(column.output_column_name(), "ArrayIntersectAtSizes", around(null_level(&column), levels))
}

/// Points: distances in km from the smallest up, as Splink computes them.
pub fn distance_in_km_at_thresholds<T: Into<Threshold>>(
    latitude: impl Into<ColumnExpression>,
    longitude: impl Into<ColumnExpression>,
    thresholds: impl IntoIterator<Item = T>,
) -> ComparisonBuilder {
    let (latitude, longitude) = (latitude.into(), longitude.into());
    let levels = thresholds.into_iter().map(|threshold| distance_in_km_level(&latitude, &longitude, threshold, false));
    point_comparison("DistanceInKMAtThresholds", &latitude, &longitude, levels)
}

/// Points: distances in km from the smallest up, by the haversine formula.
pub fn haversine_distance_at_thresholds<T: Into<Threshold>>(
    latitude: impl Into<ColumnExpression>,
    longitude: impl Into<ColumnExpression>,
    thresholds: impl IntoIterator<Item = T>,
) -> ComparisonBuilder {
    let (latitude, longitude) = (latitude.into(), longitude.into());
    let levels = thresholds.into_iter().map(|threshold| haversine_distance_level(&latitude, &longitude, threshold));
    point_comparison("HaversineDistanceAtThresholds", &latitude, &longitude, levels)
}

fn point_comparison(
    description: &str,
    latitude: &ColumnExpression,
    longitude: &ColumnExpression,
    levels: impl Iterator<Item = LevelBuilder>,
) -> ComparisonBuilder {
    let name = format!("{}_{}", latitude.output_column_name(), longitude.output_column_name());
    let null = or([null_level(latitude), null_level(longitude)]);
    ComparisonBuilder::new(name, description, around(null, levels))
}

/// Lists of numbers: cosine similarities from the largest down; Splink's are 0.9, 0.8 and 0.7.
pub fn cosine_similarity_at_thresholds<T: Into<Threshold>>(
    column: impl Into<ColumnExpression>,
    thresholds: impl IntoIterator<Item = T>,
) -> ComparisonBuilder {
    let column = column.into();
    let levels = thresholds.into_iter().map(|threshold| cosine_similarity_level(&column, threshold));
    ComparisonBuilder::new(
        column.output_column_name(),
        "CosineSimilarityAtThresholds",
        around(null_level(&column), levels),
    )
}

/// The levels as given, null and else level included.
pub fn custom_comparison<Level: Into<LevelBuilder>>(
    output_column_name: impl Into<String>,
    levels: impl IntoIterator<Item = Level>,
) -> ComparisonBuilder {
    ComparisonBuilder::new(output_column_name, "CustomComparison", levels.into_iter().map(Into::into).collect())
}

/// Dates of birth: equal, one edit apart, within a month, a year, ten years.
pub fn date_of_birth_comparison(column: impl Into<ColumnExpression>, input: &DateInput) -> ComparisonBuilder {
    date_of_birth_comparison_at_thresholds(
        column,
        input,
        [(1, TimeMetric::Month), (1, TimeMetric::Year), (10, TimeMetric::Year)],
    )
}

/// Dates of birth: equal, one edit apart, then elapsed times from the shortest up.
pub fn date_of_birth_comparison_at_thresholds<T: Into<Threshold>>(
    column: impl Into<ColumnExpression>,
    input: &DateInput,
    thresholds: impl IntoIterator<Item = (T, TimeMetric)>,
) -> ComparisonBuilder {
    let column = column.into();
    let as_text = match input {
        DateInput::Native => column.clone().cast_to_string(),
        DateInput::Text { .. } => column.clone(),
    };
    let mut levels = vec![
        exact_match_level(&column).label("Exact match on date of birth"),
        levenshtein_level(as_text, 1).label("Levenshtein distance <= 1"),
    ];
    for (threshold, metric) in thresholds {
        let threshold = threshold.into();
        let label = format!("Abs date difference <= {threshold} {}", metric.name());
        levels.push(absolute_date_difference_level(&column, input, threshold, metric).label(label));
    }
    let null = null_level(input.null_column(column.clone(), DATE_FORMAT));
    ComparisonBuilder::new(column.output_column_name(), "DateOfBirthComparison", around(null, levels))
}

const SECTOR: &str = "^[A-Za-z]{1,2}[0-9][A-Za-z0-9]? [0-9]";
const DISTRICT: &str = "^[A-Za-z]{1,2}[0-9][A-Za-z0-9]?";
const AREA: &str = "^[A-Za-z]{1,2}";
const VALID_POSTCODE: &str = "^[A-Za-z]{1,2}[0-9][A-Za-z0-9]? [0-9][A-Za-z]{2}$";

/// Postcodes of the United Kingdom, spelt with a space: equal, then sector, district and area.
pub fn postcode_comparison(column: impl Into<ColumnExpression>) -> ComparisonBuilder {
    postcode_comparison_with(column, &PostcodeOptions::default())
}

/// Postcodes of the United Kingdom, spelt with a space; with coordinates equal, sector, then distances.
pub fn postcode_comparison_with(column: impl Into<ColumnExpression>, options: &PostcodeOptions) -> ComparisonBuilder {
    let column = column.into();
    let part = |pattern: &str| exact_match_level(column.clone().regex_extract(pattern, 0));
    let levels = match options.distances.as_ref().filter(|distances| !distances.thresholds.is_empty()) {
        None => vec![
            exact_match_level(&column).label("Exact match on full postcode"),
            part(SECTOR).label("Exact match on sector"),
            part(DISTRICT).label("Exact match on district"),
            part(AREA).label("Exact match on area"),
        ],
        Some(PostcodeDistances { latitude, longitude, thresholds }) => {
            let distance = |threshold: &Threshold| {
                distance_in_km_level(latitude, longitude, *threshold, false)
                    .label(format!("Distance in km <= {threshold}"))
            };
            [exact_match_level(&column), part(SECTOR)].into_iter().chain(thresholds.iter().map(distance)).collect()
        }
    };
    let null = if options.invalid_as_null {
        null_level_with_valid_pattern(&column, VALID_POSTCODE)
    } else {
        null_level(&column)
    };
    ComparisonBuilder::new(column.output_column_name(), "PostcodeComparison", around(null, levels))
}

/// Postcodes of the United Kingdom in any spelling: equal, then sector, district and area.
pub fn united_kingdom_postcode_comparison(column: impl Into<ColumnExpression>) -> ComparisonBuilder {
    let column = column.into();
    let levels = [
        exact_match_level(column.clone().postcode_compact()).label("Exact match on full postcode"),
        exact_match_level(column.clone().postcode_sector()).label("Exact match on sector"),
        exact_match_level(column.clone().postcode_district()).label("Exact match on district"),
        exact_match_level(column.clone().postcode_area()).label("Exact match on area"),
    ];
    let null = null_level(column.clone().postcode_compact());
    ComparisonBuilder::new(column.output_column_name(), "UnitedKingdomPostcodeComparison", around(null, levels))
}

/// Postcodes of any country: equal in compact form, then prefixes of so many characters, from the longest down.
pub fn postcode_prefix_comparison(
    column: impl Into<ColumnExpression>,
    lengths: impl IntoIterator<Item = u32>,
) -> ComparisonBuilder {
    let column = column.into();
    let prefix = |length| {
        exact_match_level(column.clone().postcode_prefix(length))
            .label(format!("Exact match on first {length} characters"))
    };
    let exact = exact_match_level(column.clone().postcode_compact()).label("Exact match on full postcode");
    let levels: Vec<LevelBuilder> = std::iter::once(exact).chain(lengths.into_iter().map(prefix)).collect();
    let null = null_level(column.clone().postcode_compact());
    ComparisonBuilder::new(column.output_column_name(), "PostcodePrefixComparison", around(null, levels))
}

/// E-mail addresses: equal, equal user part, then Jaro–Winkler similarity 0.88 of the whole and of the user part.
pub fn email_comparison(column: impl Into<ColumnExpression>) -> ComparisonBuilder {
    let column = column.into();
    let user = column.clone().regex_extract("^[^@]+", 0);
    let levels = [
        exact_match_level(&column).term_frequency_column(column.raw()),
        exact_match_level(&user).label("Exact match on username"),
        jaro_winkler_level(&column, 0.88),
        jaro_winkler_level(&user, 0.88).label("Jaro-Winkler >0.88 on username"),
    ];
    ComparisonBuilder::new(column.output_column_name(), "EmailComparison", around(null_level(&column), levels))
}

/// Names: equal, then Jaro–Winkler similarities 0.92, 0.88 and 0.7.
pub fn name_comparison(column: impl Into<ColumnExpression>) -> ComparisonBuilder {
    name_comparison_with(column, &NameOptions::default())
}

/// Names: equal, then similarities, with levels for nicknames and names that sound alike in between.
pub fn name_comparison_with(column: impl Into<ColumnExpression>, options: &NameOptions) -> ComparisonBuilder {
    let column = column.into();
    let mut exact = exact_match_level(&column);
    if column.is_pure_column() {
        exact = exact.term_frequency_column(column.raw());
    }
    let similar = |is_high: bool| {
        let column = &column;
        let thresholds = options.jaro_winkler_thresholds.iter();
        thresholds
            .filter(move |threshold| (threshold.value() >= 0.88) == is_high)
            .map(move |threshold| jaro_winkler_level(column, *threshold))
    };
    let nickname = options.nicknames.then(|| nickname_level(&column));
    let sound = match &options.sound {
        NameSound::Ignored => None,
        NameSound::Column(codes) => Some(array_intersect_level(codes, 1)),
        NameSound::DoubleMetaphone => Some(array_intersect_level(column.clone().double_metaphone(), 1)),
    };
    let levels: Vec<LevelBuilder> =
        std::iter::once(exact).chain(similar(true)).chain(nickname).chain(sound).chain(similar(false)).collect();
    ComparisonBuilder::new(column.output_column_name(), "NameComparison", around(null_level(&column), levels))
}

/// Forename and surname: both equal, swapped, both of Jaro–Winkler similarity 0.92, 0.88, surname equal, forename equal.
pub fn forename_surname_comparison(
    forename: impl Into<ColumnExpression>,
    surname: impl Into<ColumnExpression>,
) -> ComparisonBuilder {
    forename_surname_comparison_with(forename, surname, None, [0.92, 0.88])
}

/// Forename and surname, with a column of both joined (for their term frequency) and own thresholds.
pub fn forename_surname_comparison_with<T: Into<Threshold>>(
    forename: impl Into<ColumnExpression>,
    surname: impl Into<ColumnExpression>,
    joined: Option<ColumnExpression>,
    thresholds: impl IntoIterator<Item = T>,
) -> ComparisonBuilder {
    let (forename, surname) = (forename.into(), surname.into());
    let exact = match joined {
        Some(joined) => exact_match_level(&joined).term_frequency_column(joined.raw()),
        None => and([exact_match_level(&forename), exact_match_level(&surname)]),
    };
    let mut levels = vec![exact, columns_reversed_level(&forename, &surname, true)];
    for threshold in thresholds {
        let threshold = threshold.into();
        levels.push(and([jaro_winkler_level(&forename, threshold), jaro_winkler_level(&surname, threshold)]));
    }
    levels.push(exact_match_level(&surname).term_frequency_column(surname.raw()));
    levels.push(exact_match_level(&forename).term_frequency_column(forename.raw()));
    let name = format!("{}_{}", forename.output_column_name(), surname.output_column_name());
    let null = and([null_level(&forename), null_level(&surname)]);
    ComparisonBuilder::new(name, "ForenameSurnameComparison", around(null, levels))
}

/// Equal, then Jaccard similarities of the sets of q-grams from the largest down.
pub fn qgram_jaccard_at_thresholds<T: Into<Threshold>>(
    column: impl Into<ColumnExpression>,
    q: u8,
    thresholds: impl IntoIterator<Item = T>,
) -> ComparisonBuilder {
    at_thresholds(column, "QGramJaccardAtThresholds", thresholds, |column, threshold| {
        qgram_jaccard_level(column, q, threshold)
    })
}

/// Equal, then Dice similarities of the sets of q-grams from the largest down.
pub fn qgram_dice_at_thresholds<T: Into<Threshold>>(
    column: impl Into<ColumnExpression>,
    q: u8,
    thresholds: impl IntoIterator<Item = T>,
) -> ComparisonBuilder {
    at_thresholds(column, "QGramDiceAtThresholds", thresholds, |column, threshold| {
        qgram_dice_level(column, q, threshold)
    })
}

/// Equal, then Jaccard similarities of the sets of tokens from the largest down.
pub fn token_jaccard_at_thresholds<T: Into<Threshold>>(
    column: impl Into<ColumnExpression>,
    thresholds: impl IntoIterator<Item = T>,
) -> ComparisonBuilder {
    at_thresholds(column, "TokenJaccardAtThresholds", thresholds, token_jaccard_level)
}

/// Equal, then cosine similarities of token counts from the largest down.
pub fn token_cosine_at_thresholds<T: Into<Threshold>>(
    column: impl Into<ColumnExpression>,
    thresholds: impl IntoIterator<Item = T>,
) -> ComparisonBuilder {
    at_thresholds(column, "TokenCosineAtThresholds", thresholds, token_cosine_level)
}

/// Equal, then cosine similarities of TF-IDF vectors from the largest down.
pub fn tfidf_cosine_at_thresholds<T: Into<Threshold>>(
    column: impl Into<ColumnExpression>,
    thresholds: impl IntoIterator<Item = T>,
) -> ComparisonBuilder {
    at_thresholds(column, "TfIdfCosineAtThresholds", thresholds, tfidf_cosine_level)
}

/// Equal, then soft TF-IDF similarities from the largest down.
pub fn soft_tfidf_at_thresholds<T: Into<Threshold>>(
    column: impl Into<ColumnExpression>,
    thresholds: impl IntoIterator<Item = T>,
) -> ComparisonBuilder {
    at_thresholds(column, "SoftTfIdfAtThresholds", thresholds, soft_tfidf_level)
}

/// Equal, then Monge–Elkan similarities from the largest down.
pub fn monge_elkan_at_thresholds<T: Into<Threshold>>(
    column: impl Into<ColumnExpression>,
    thresholds: impl IntoIterator<Item = T>,
) -> ComparisonBuilder {
    at_thresholds(column, "MongeElkanAtThresholds", thresholds, monge_elkan_level)
}

/// Equal, then absolute differences from the smallest up.
pub fn absolute_difference_at_thresholds<T: Into<Threshold>>(
    column: impl Into<ColumnExpression>,
    thresholds: impl IntoIterator<Item = T>,
) -> ComparisonBuilder {
    at_thresholds(column, "AbsoluteDifferenceAtThresholds", thresholds, absolute_difference_level)
}

/// Equal, then differences as shares of the larger number, 0 to 1, from the smallest up.
pub fn percentage_difference_at_thresholds<T: Into<Threshold>>(
    column: impl Into<ColumnExpression>,
    thresholds: impl IntoIterator<Item = T>,
) -> ComparisonBuilder {
    at_thresholds(column, "PercentageDifferenceAtThresholds", thresholds, percentage_difference_level)
}

/// Names by sound: equal, then the same phonetic code.
pub fn phonetic_comparison(column: impl Into<ColumnExpression>, code: PhoneticCode) -> ComparisonBuilder {
    let column = column.into();
    let levels = [exact_match_level(&column), phonetic_level(&column, code)];
    ComparisonBuilder::new(column.output_column_name(), "PhoneticComparison", around(null_level(&column), levels))
}

/// A level for the same phonetic code, or for a code shared where a name has several.
pub fn phonetic_level(column: impl Into<ColumnExpression>, code: PhoneticCode) -> LevelBuilder {
    let column = column.into();
    let (level, name) = match code {
        PhoneticCode::Soundex => (exact_match_level(column.clone().soundex()), "Soundex"),
        PhoneticCode::Metaphone => (exact_match_level(column.clone().metaphone()), "Metaphone"),
        PhoneticCode::Nysiis => (exact_match_level(column.clone().nysiis()), "NYSIIS"),
        PhoneticCode::Cologne => (exact_match_level(column.clone().cologne_phonetic()), "Cologne phonetics"),
        PhoneticCode::DoubleMetaphone => {
            (array_intersect_level(column.clone().double_metaphone(), 1), "Double Metaphone")
        }
        #[cfg(feature = "beider-morse")]
        PhoneticCode::BeiderMorse => (array_intersect_level(column.clone().beider_morse(), 1), "Beider-Morse"),
    };
    level.label(format!("{name} match on {}", column.label()))
}

/// Organisation names: equal, equal without legal form, then similarities 0.95, 0.85 and 0.7 (legal forms, acronyms and word order looked through).
pub fn organization_comparison(column: impl Into<ColumnExpression>) -> ComparisonBuilder {
    organization_comparison_at_thresholds(column, [0.95, 0.85, 0.7])
}

/// Organisation names: equal, equal without legal form, then similarities from the largest down.
pub fn organization_comparison_at_thresholds<T: Into<Threshold>>(
    column: impl Into<ColumnExpression>,
    thresholds: impl IntoIterator<Item = T>,
) -> ComparisonBuilder {
    let column = column.into();
    let mut exact = exact_match_level(&column);
    if column.is_pure_column() {
        exact = exact.term_frequency_column(column.raw());
    }
    let core = exact_match_level(column.clone().organization_core()).label("Exact match without legal form");
    let similar = thresholds.into_iter().map(|threshold| organization_similarity_level(&column, threshold));
    let levels: Vec<LevelBuilder> = [exact, core].into_iter().chain(similar).collect();
    let null = null_level(column.clone().organization_core());
    ComparisonBuilder::new(column.output_column_name(), "OrganizationComparison", around(null, levels))
}

/// Telephone numbers in any spelling: equal digits, the same last digits (9 for national numbers of many countries), one digit wrong.
pub fn phone_comparison(column: impl Into<ColumnExpression>, last_digits: u32) -> ComparisonBuilder {
    let column = column.into();
    let digits = column.clone().phone_digits();
    let last = column.clone().phone_last_digits(last_digits);
    let levels = [
        exact_match_level(&digits).label("Exact match on digits"),
        exact_match_level(&last).label(format!("Exact match on last {last_digits} digits")),
        damerau_levenshtein_level(&last, 1).label(format!("One edit in the last {last_digits} digits")),
    ];
    ComparisonBuilder::new(column.output_column_name(), "PhoneComparison", around(null_level(&digits), levels))
}

/// Web or e-mail addresses by domain: equal, the same registered name, Jaro–Winkler similarity 0.92 of it.
pub fn web_comparison(column: impl Into<ColumnExpression>) -> ComparisonBuilder {
    let column = column.into();
    let (domain, name) = (column.clone().web_domain(), column.clone().web_name());
    let levels = [
        exact_match_level(&domain).label("Exact match on domain"),
        exact_match_level(&name).label("Exact match on registered name"),
        jaro_winkler_level(&name, 0.92).label("Jaro-Winkler >= 0.92 on registered name"),
    ];
    ComparisonBuilder::new(column.output_column_name(), "WebComparison", around(null_level(&domain), levels))
}

fn listed(thresholds: &[Threshold]) -> String {
    thresholds.iter().map(ToString::to_string).collect::<Vec<String>>().join(", ")
}

impl Default for NameOptions {
    fn default() -> Self {
        Self {
            jaro_winkler_thresholds: [0.92, 0.88, 0.7].map(Threshold::from).to_vec(),
            sound: NameSound::Ignored,
            nicknames: false,
        }
    }
}
