//! Comparison levels, most of them those of Splink under the same names.
//!
//! A level is built from a column's name or a [`ColumnExpression`] and becomes a [`ComparisonLevel`]. Thresholds are inclusive.
//! What is null on either side makes a condition unknown, so the pair falls through to a lower level.

use super::number::Threshold;
use super::transforms::{ColumnExpression, DATE_FORMAT, TIMESTAMP_FORMAT, quoted};
use crate::model::{ComparisonLevel, TermFrequencyAdjustment};

/// A comparison level in the making.
///
/// ```
/// use hotpass_resolve::library::levels::{and, exact_match_level, levenshtein_level};
/// use hotpass_resolve::model::ComparisonLevel;
///
/// let level = and([exact_match_level("surname"), levenshtein_level("first_name", 1)]).label("Close name").m_probability(0.1);
/// let level = ComparisonLevel::from(level);
/// assert_eq!(level.sql_condition, r#"("surname_l" = "surname_r") AND (levenshtein("first_name_l", "first_name_r") <= 1)"#);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LevelBuilder {
    level: ComparisonLevel,
    /// The column of an exact match level on just that column.
    pub(super) exact_column: Option<String>,
}

/// The side of a pair that a literal is looked for on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LiteralSide {
    /// The left record.
    Left,
    /// The right record.
    Right,
    /// Both records.
    Both,
}

/// A constant to compare a column with.
#[derive(Debug, Clone, PartialEq)]
pub enum LiteralValue {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A single-precision number.
    Float(f64),
    /// A date, written `2001-02-03`.
    Date(String),
}

/// A unit of elapsed time; a month is a twelfth of a year, a year 365.25 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeMetric {
    /// Seconds.
    Second,
    /// Minutes.
    Minute,
    /// Hours.
    Hour,
    /// Days.
    Day,
    /// Months of 30.4375 days.
    Month,
    /// Years of 365.25 days.
    Year,
}

/// What a column of dates or timestamps holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DateInput {
    /// Dates or timestamps.
    #[default]
    Native,
    /// Text to parse.
    Text {
        /// The format; [`DATE_FORMAT`] or [`TIMESTAMP_FORMAT`] if absent.
        format: Option<String>,
        /// Text that spells no date is missing data; otherwise it may still match exactly or by spelling.
        invalid_as_null: bool,
    },
}

/// A string function over pairs of array elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StringDistance {
    /// Levenshtein distance.
    Levenshtein,
    /// Damerau–Levenshtein distance.
    DamerauLevenshtein,
    /// Jaro similarity.
    Jaro,
    /// Jaro–Winkler similarity.
    JaroWinkler,
}

impl LevelBuilder {
    /// Sets the name on charts.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.level.label = Some(label.into());
        self
    }

    /// Sets m, P(level | match).
    #[must_use]
    pub fn m_probability(mut self, probability: f64) -> Self {
        self.level.m_probability = Some(probability);
        self
    }

    /// Sets u, P(level | no match).
    #[must_use]
    pub fn u_probability(mut self, probability: f64) -> Self {
        self.level.u_probability = Some(probability);
        self
    }

    /// Keeps training from changing m.
    #[must_use]
    pub fn fix_m_probability(mut self) -> Self {
        self.level.fix_m_probability = true;
        self
    }

    /// Keeps training from changing u.
    #[must_use]
    pub fn fix_u_probability(mut self) -> Self {
        self.level.fix_u_probability = true;
        self
    }

    /// Says whether the level stands for missing data.
    #[must_use]
    pub fn null_level(mut self, is_null_level: bool) -> Self {
        self.level.is_null_level = is_null_level;
        self
    }

    /// Replaces u by the frequency of the value in a column, with weight 1 and no floor.
    #[must_use]
    pub fn term_frequency_column(mut self, column: impl Into<String>) -> Self {
        self.level.term_frequency = Some(TermFrequencyAdjustment {
            column: column.into(),
            weight: 1.0,
            minimum_u: 0.0,
            disable_exact_match_detection: false,
        });
        self
    }

    /// Replaces u by the frequency of the value in a column, as the adjustment says.
    #[must_use]
    pub fn term_frequency(mut self, adjustment: TermFrequencyAdjustment) -> Self {
        self.level.term_frequency = Some(adjustment);
        self
    }

    /// Gives the SQL condition.
    pub fn sql_condition(&self) -> &str {
        &self.level.sql_condition
    }

    /// Tells whether the level stands for missing data.
    pub fn is_null_level(&self) -> bool {
        self.level.is_null_level
    }

    fn label_text(&self) -> &str {
        self.level.label.as_deref().unwrap_or(&self.level.sql_condition)
    }
}

impl From<LevelBuilder> for ComparisonLevel {
    fn from(builder: LevelBuilder) -> Self {
        builder.level
    }
}

impl From<ComparisonLevel> for LevelBuilder {
    fn from(level: ComparisonLevel) -> Self {
        Self { level, exact_column: None }
    }
}

impl From<&str> for LevelBuilder {
    /// Takes an SQL condition, see [`custom_level`].
    fn from(sql_condition: &str) -> Self {
        custom_level(sql_condition)
    }
}

fn level(sql_condition: String, label: String) -> LevelBuilder {
    LevelBuilder {
        level: ComparisonLevel { label: Some(label), ..ComparisonLevel::new(sql_condition) },
        exact_column: None,
    }
}

/// Missing data: the value is null on either side.
pub fn null_level(column: impl Into<ColumnExpression>) -> LevelBuilder {
    let column = column.into();
    let condition = format!("{} IS NULL OR {} IS NULL", column.name_l(), column.name_r());
    level(condition, format!("{} is NULL", column.label())).null_level(true)
}

/// Missing data: the value is null on either side, or without a part that a regular expression finds.
pub fn null_level_with_valid_pattern(column: impl Into<ColumnExpression>, pattern: impl Into<String>) -> LevelBuilder {
    null_level(column.into().regex_extract(pattern, 0))
}

/// The last level: every pair that no other level took.
pub fn else_level() -> LevelBuilder {
    level("ELSE".to_owned(), "All other comparisons".to_owned())
}

/// A level from SQL over columns with suffix `_l` and `_r`; the condition is its name on charts.
pub fn custom_level(sql_condition: impl Into<String>) -> LevelBuilder {
    let condition = sql_condition.into();
    level(condition.clone(), condition)
}

/// Equal values.
pub fn exact_match_level(column: impl Into<ColumnExpression>) -> LevelBuilder {
    let column = column.into();
    let condition = format!("{} = {}", column.name_l(), column.name_r());
    let exact_column = column.is_pure_column().then(|| column.raw().to_owned());
    LevelBuilder { exact_column, ..level(condition, format!("Exact match on {}", column.label())) }
}

/// Equal values, whose frequency replaces u.
///
/// Of a transformed column the frequencies are those of the transformed values.
pub fn exact_match_level_with_term_frequencies(column: impl Into<ColumnExpression>) -> LevelBuilder {
    let column = column.into();
    let counted = if column.is_pure_column() { column.raw().to_owned() } else { column.name() };
    exact_match_level(column).term_frequency_column(counted)
}

/// A value equal to a constant, on one side or both.
pub fn literal_match_level(
    column: impl Into<ColumnExpression>,
    literal: impl Into<LiteralValue>,
    side: LiteralSide,
) -> LevelBuilder {
    let (column, literal) = (column.into(), literal.into());
    let (sql, text) = match literal {
        LiteralValue::Text(text) => (quoted(&text), text),
        LiteralValue::Integer(number) => (format!("CAST({number} AS INT)"), number.to_string()),
        LiteralValue::Float(number) => {
            let text = Threshold::Number(number).to_string();
            (format!("CAST({text} AS REAL)"), text)
        }
        LiteralValue::Date(text) => (format!("CAST({} AS DATE)", quoted(&text)), text),
    };
    let (left, right) = (format!("{} = {sql}", column.name_l()), format!("{} = {sql}", column.name_r()));
    let (condition, side) = match side {
        LiteralSide::Left => (left, "left"),
        LiteralSide::Right => (right, "right"),
        LiteralSide::Both => (format!("{left} AND {right}"), "both"),
    };
    level(condition, format!("{} = {text} on {side}", column.label()))
}

/// The left record's first column equal to the right record's second one; if symmetrical, the other way round as well.
pub fn columns_reversed_level(
    first: impl Into<ColumnExpression>,
    second: impl Into<ColumnExpression>,
    symmetrical: bool,
) -> LevelBuilder {
    let (first, second) = (first.into(), second.into());
    let one_way = format!("{} = {}", first.name_l(), second.name_r());
    let (condition, direction) = if symmetrical {
        (format!("{one_way} AND {} = {}", first.name_r(), second.name_l()), "both directions")
    } else {
        (one_way, "one direction")
    };
    level(condition, format!("Match on reversed cols: {} and {} ({direction})", first.label(), second.label()))
}

/// A Levenshtein distance of at most so many edits.
pub fn levenshtein_level(column: impl Into<ColumnExpression>, threshold: impl Into<Threshold>) -> LevelBuilder {
    let (column, threshold) = (column.into(), threshold.into());
    let label = format!("Levenshtein distance of {} <= {threshold}", column.label());
    level(measure(&column, "levenshtein", "<=", threshold), label)
}

/// A Damerau–Levenshtein distance of at most so many edits.
pub fn damerau_levenshtein_level(column: impl Into<ColumnExpression>, threshold: impl Into<Threshold>) -> LevelBuilder {
    let (column, threshold) = (column.into(), threshold.into());
    let label = format!("Damerau-Levenshtein distance of {} <= {threshold}", column.label());
    level(measure(&column, "damerau_levenshtein", "<=", threshold), label)
}

/// A Jaro–Winkler similarity of at least the threshold, 0 to 1.
pub fn jaro_winkler_level(column: impl Into<ColumnExpression>, threshold: impl Into<Threshold>) -> LevelBuilder {
    let (column, threshold) = (column.into(), threshold.into());
    let label = format!("Jaro-Winkler distance of {} >= {threshold}", column.label());
    level(measure(&column, "jaro_winkler_similarity", ">=", threshold), label)
}

/// A Jaro similarity of at least the threshold, 0 to 1.
pub fn jaro_level(column: impl Into<ColumnExpression>, threshold: impl Into<Threshold>) -> LevelBuilder {
    let (column, threshold) = (column.into(), threshold.into());
    let label = format!("Jaro distance of '{} >= {threshold}'", column.label());
    level(measure(&column, "jaro_similarity", ">=", threshold), label)
}

/// A Jaccard similarity of the sets of characters of at least the threshold, 0 to 1.
pub fn jaccard_level(column: impl Into<ColumnExpression>, threshold: impl Into<Threshold>) -> LevelBuilder {
    let (column, threshold) = (column.into(), threshold.into());
    let label = format!("Jaccard distance of '{} >= {threshold}'", column.label());
    level(measure(&column, "jaccard", ">=", threshold), label)
}

/// A function of two values by its name in SQL: at least the threshold if higher is more similar, else at most.
pub fn distance_function_level(
    column: impl Into<ColumnExpression>,
    function: &str,
    threshold: impl Into<Threshold>,
    higher_is_more_similar: bool,
) -> LevelBuilder {
    let (column, threshold) = (column.into(), threshold.into());
    let (operator, word) = if higher_is_more_similar { (">=", "greater") } else { ("<=", "less") };
    let label = format!("`{function}` distance of '{} {word} than {threshold}'", column.label());
    level(measure(&column, function, operator, threshold), label)
}

/// The most similar pair of elements of two arrays of text: a distance of at most, or a similarity of at least the threshold.
pub fn pairwise_string_distance_function_level(
    column: impl Into<ColumnExpression>,
    function: StringDistance,
    threshold: impl Into<Threshold>,
) -> LevelBuilder {
    let (column, threshold) = (column.into(), threshold.into());
    let (name, sql, higher_is_more_similar) = match function {
        StringDistance::Levenshtein => ("levenshtein", "levenshtein", false),
        StringDistance::DamerauLevenshtein => ("damerau_levenshtein", "damerau_levenshtein", false),
        StringDistance::Jaro => ("jaro", "jaro_similarity", true),
        StringDistance::JaroWinkler => ("jaro_winkler", "jaro_winkler_similarity", true),
    };
    let (aggregate, word, operator) =
        if higher_is_more_similar { ("list_max", "Max", ">=") } else { ("list_min", "Min", "<=") };
    let condition = format!(
        "{aggregate}(
                    list_transform(
                        flatten(
                            list_transform(
                                {},
                                x -> list_transform(
                                    {},
                                    y -> [x, y]
                                )
                            )
                        ),
                        pair -> {sql}(
                            pair[1],
                            pair[2]
                        )
                    )
                ) {operator} {threshold}",
        column.name_l(),
        column.name_r(),
    );
    level(condition, format!("{word} `{name}` distance of '{}' {operator} than {threshold}'", column.label()))
}

/// Timestamps at most so far apart.
pub fn absolute_time_difference_level(
    column: impl Into<ColumnExpression>,
    input: &DateInput,
    threshold: impl Into<Threshold>,
    metric: TimeMetric,
) -> LevelBuilder {
    time_difference(column.into(), input, threshold.into(), metric, TIMESTAMP_FORMAT)
}

/// Dates at most so far apart.
pub fn absolute_date_difference_level(
    column: impl Into<ColumnExpression>,
    input: &DateInput,
    threshold: impl Into<Threshold>,
    metric: TimeMetric,
) -> LevelBuilder {
    time_difference(column.into(), input, threshold.into(), metric, DATE_FORMAT)
}

/// Numbers at most so far apart.
pub fn absolute_difference_level(column: impl Into<ColumnExpression>, threshold: impl Into<Threshold>) -> LevelBuilder {
    let (column, threshold) = (column.into(), threshold.into());
    let condition = format!("ABS({} - {}) <= {threshold}", column.name_l(), column.name_r());
    level(condition, format!("Absolute difference of '{}' <= {threshold}", column.label()))
}

/// Numbers whose difference is less than a share, 0 to 1, of the larger one.
pub fn percentage_difference_level(
    column: impl Into<ColumnExpression>,
    threshold: impl Into<Threshold>,
) -> LevelBuilder {
    let (column, threshold) = (column.into(), threshold.into());
    let (left, right) = (column.name_l(), column.name_r());
    let condition =
        format!("(ABS({left} - {right}) / (CASE WHEN {right} > {left} THEN {right} ELSE {left} END)) < {threshold}");
    level(condition, format!("Percentage difference of '{}' within {:.2}%", column.label(), threshold.value() * 100.0))
}

/// Points at most so many km apart, from degrees, by the spherical law of cosines as Splink writes it.
///
/// With `not_null` the condition is false rather than unknown for missing coordinates.
pub fn distance_in_km_level(
    latitude: impl Into<ColumnExpression>,
    longitude: impl Into<ColumnExpression>,
    threshold: impl Into<Threshold>,
    not_null: bool,
) -> LevelBuilder {
    let (latitude, longitude, threshold) = (latitude.into(), longitude.into(), threshold.into());
    let (lat_l, lat_r, long_l, long_r) = (latitude.name_l(), latitude.name_r(), longitude.name_l(), longitude.name_r());
    let cosine = format!(
        "
        sin( radians({lat_l}) ) * sin( radians({lat_r}) ) +
        cos( radians({lat_l}) ) * cos( radians({lat_r}) )
            * cos( radians({long_r} - {long_l}) )
    "
    );
    let clipped = format!(
        "
        case
            when ({cosine}) > 1 then 1
            when ({cosine}) < -1 then -1
            else ({cosine})
        end
    "
    );
    let mut condition = format!(
        "
        cast(
            acos(
                {clipped}
            ) * 6371
            as float
        )
     <= {threshold}"
    );
    if not_null {
        condition = format!(
            "({lat_r} is not null AND {lat_l} is not null AND {long_l} is not null AND {long_r} is not null) AND {condition}"
        );
    }
    level(condition, format!("Distance less than {threshold}km"))
}

/// Points at most so many km apart, from degrees, by the haversine formula, exact for near points too.
pub fn haversine_distance_level(
    latitude: impl Into<ColumnExpression>,
    longitude: impl Into<ColumnExpression>,
    threshold: impl Into<Threshold>,
) -> LevelBuilder {
    let (latitude, longitude, threshold) = (latitude.into(), longitude.into(), threshold.into());
    let condition = format!(
        "distance_km({}, {}, {}, {}) <= {threshold}",
        latitude.name_l(),
        longitude.name_l(),
        latitude.name_r(),
        longitude.name_r()
    );
    level(condition, format!("Distance less than {threshold}km"))
}

/// A cosine similarity of two lists of numbers of at least the threshold.
pub fn cosine_similarity_level(column: impl Into<ColumnExpression>, threshold: impl Into<Threshold>) -> LevelBuilder {
    let (column, threshold) = (column.into(), threshold.into());
    let label = format!("Cosine similarity of {} >= {threshold}", column.label());
    level(measure(&column, "array_cosine_similarity", ">=", threshold), label)
}

/// At least so many distinct elements shared by two arrays.
pub fn array_intersect_level(column: impl Into<ColumnExpression>, minimum_shared: u32) -> LevelBuilder {
    let column = column.into();
    let condition =
        format!("array_length(list_intersect({}, {})) >= {minimum_shared}", column.name_l(), column.name_r());
    level(condition, format!("Array intersection size >= {minimum_shared}"))
}

/// The smaller array's elements all in the larger one; an empty array counts as a subset only if so asked.
pub fn array_subset_level(column: impl Into<ColumnExpression>, empty_is_subset: bool) -> LevelBuilder {
    let column = column.into();
    let (left, right) = (column.name_l(), column.name_r());
    let smaller = format!("LEAST(ARRAY_LENGTH({left}), ARRAY_LENGTH({right}))");
    let subset = format!("ARRAY_LENGTH(ARRAY_INTERSECT({left}, {right})) = {smaller}");
    let condition = if empty_is_subset { subset } else { format!("{smaller} <> 0 AND {subset}") };
    level(condition, "Array subset".to_owned())
}

/// A similarity of the sets of q-grams (Jaccard) of at least the threshold, 0 to 1.
pub fn qgram_jaccard_level(
    column: impl Into<ColumnExpression>,
    q: u8,
    threshold: impl Into<Threshold>,
) -> LevelBuilder {
    qgram(&column.into(), "qgram_jaccard", q, threshold.into())
}

/// A similarity of the sets of q-grams (Dice) of at least the threshold, 0 to 1.
pub fn qgram_dice_level(column: impl Into<ColumnExpression>, q: u8, threshold: impl Into<Threshold>) -> LevelBuilder {
    qgram(&column.into(), "qgram_dice", q, threshold.into())
}

/// A Jaccard similarity of the sets of tokens of at least the threshold, 0 to 1.
pub fn token_jaccard_level(column: impl Into<ColumnExpression>, threshold: impl Into<Threshold>) -> LevelBuilder {
    similarity(&column.into(), "token_jaccard", "Token Jaccard similarity", threshold.into())
}

/// A cosine similarity of token counts of at least the threshold, 0 to 1.
pub fn token_cosine_level(column: impl Into<ColumnExpression>, threshold: impl Into<Threshold>) -> LevelBuilder {
    similarity(&column.into(), "token_cosine", "Token cosine similarity", threshold.into())
}

/// A cosine similarity of TF-IDF vectors of at least the threshold, 0 to 1.
pub fn tfidf_cosine_level(column: impl Into<ColumnExpression>, threshold: impl Into<Threshold>) -> LevelBuilder {
    similarity(&column.into(), "tfidf_cosine", "TF-IDF cosine similarity", threshold.into())
}

/// A soft TF-IDF similarity of at least the threshold, 0 to 1.
pub fn soft_tfidf_level(column: impl Into<ColumnExpression>, threshold: impl Into<Threshold>) -> LevelBuilder {
    similarity(&column.into(), "soft_tfidf", "Soft TF-IDF similarity", threshold.into())
}

/// A Monge–Elkan similarity of at least the threshold, 0 to 1.
pub fn monge_elkan_level(column: impl Into<ColumnExpression>, threshold: impl Into<Threshold>) -> LevelBuilder {
    similarity(&column.into(), "monge_elkan", "Monge-Elkan similarity", threshold.into())
}

/// A similarity of organisation names of at least the threshold, 0 to 1.
pub fn organization_similarity_level(
    column: impl Into<ColumnExpression>,
    threshold: impl Into<Threshold>,
) -> LevelBuilder {
    similarity(&column.into(), "organization_similarity", "Organisation name similarity", threshold.into())
}

/// Given names that stand for one full name, by the built-in English table.
pub fn nickname_level(column: impl Into<ColumnExpression>) -> LevelBuilder {
    let column = column.into();
    let label = format!("Nickname match on {}", column.label());
    array_intersect_level(column.nickname_group(), 1).label(label)
}

/// All of some levels; none at all hold for every pair. A null level if all are.
pub fn and<Level: Into<LevelBuilder>>(levels: impl IntoIterator<Item = Level>) -> LevelBuilder {
    merge(levels, " AND ", "TRUE")
}

/// One of some levels; none at all hold for no pair. A null level if all are.
pub fn or<Level: Into<LevelBuilder>>(levels: impl IntoIterator<Item = Level>) -> LevelBuilder {
    merge(levels, " OR ", "FALSE")
}

/// What a level is not; never a null level.
pub fn not(inner: impl Into<LevelBuilder>) -> LevelBuilder {
    let inner = inner.into();
    level(format!("NOT ({})", inner.sql_condition()), format!("NOT ({})", inner.label_text()))
}

fn merge<Level: Into<LevelBuilder>>(
    levels: impl IntoIterator<Item = Level>,
    clause: &str,
    empty: &str,
) -> LevelBuilder {
    let levels: Vec<LevelBuilder> = levels.into_iter().map(Into::into).collect();
    if levels.is_empty() {
        return custom_level(empty);
    }
    let join = |text: fn(&LevelBuilder) -> &str| {
        levels.iter().map(|level| format!("({})", text(level))).collect::<Vec<String>>().join(clause)
    };
    level(join(LevelBuilder::sql_condition), join(LevelBuilder::label_text))
        .null_level(levels.iter().all(LevelBuilder::is_null_level))
}

fn measure(column: &ColumnExpression, function: &str, operator: &str, threshold: Threshold) -> String {
    format!("{function}({}, {}) {operator} {threshold}", column.name_l(), column.name_r())
}

fn similarity(column: &ColumnExpression, function: &str, name: &str, threshold: Threshold) -> LevelBuilder {
    level(measure(column, function, ">=", threshold), format!("{name} of {} >= {threshold}", column.label()))
}

fn qgram(column: &ColumnExpression, function: &str, q: u8, threshold: Threshold) -> LevelBuilder {
    let condition = format!("{function}({}, {}, {q}) >= {threshold}", column.name_l(), column.name_r());
    let name = if function == "qgram_dice" { "Dice" } else { "Jaccard" };
    level(condition, format!("{name} similarity of {q}-grams of {} >= {threshold}", column.label()))
}

fn time_difference(
    column: ColumnExpression,
    input: &DateInput,
    threshold: Threshold,
    metric: TimeMetric,
    default_format: &str,
) -> LevelBuilder {
    let column = input.parsed(column, default_format);
    let condition =
        format!("ABS(EPOCH({}) - EPOCH({})) <= {}", column.name_l(), column.name_r(), metric.seconds(threshold));
    level(condition, format!("Abs difference of '{} <= {threshold} {}'", column.label(), metric.name()))
}

impl DateInput {
    /// Text in the usual format, where text that spells no date is missing data.
    pub fn text() -> Self {
        Self::Text { format: None, invalid_as_null: true }
    }

    /// Text in a format such as `%d/%m/%Y`, where text that spells no date is missing data.
    pub fn text_in(format: impl Into<String>) -> Self {
        Self::Text { format: Some(format.into()), invalid_as_null: true }
    }

    /// Gives the dates of a column.
    pub(super) fn parsed(&self, column: ColumnExpression, default_format: &str) -> ColumnExpression {
        match self {
            Self::Native => column,
            Self::Text { format, .. } => column.try_parse_timestamp(format.as_deref().unwrap_or(default_format)),
        }
    }

    /// Gives what is null where data is missing.
    pub(super) fn null_column(&self, column: ColumnExpression, default_format: &str) -> ColumnExpression {
        match self {
            Self::Text { invalid_as_null: true, .. } => self.parsed(column, default_format),
            Self::Native | Self::Text { .. } => column,
        }
    }
}

impl TimeMetric {
    /// Gives the name of the unit.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    fn seconds(self, threshold: Threshold) -> Threshold {
        let factor = match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3600,
            Self::Day => 86_400,
            Self::Month => return Threshold::Number(threshold.value() * (86_400.0 * 365.25 / 12.0)),
            Self::Year => return Threshold::Number(threshold.value() * (86_400.0 * 365.25)),
        };
        match threshold {
            Threshold::Integer(number) => Threshold::Integer(number.saturating_mul(factor)),
            Threshold::Number(number) => Threshold::Number(number * factor as f64),
        }
    }
}

impl From<&str> for LiteralValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i32> for LiteralValue {
    fn from(number: i32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<i64> for LiteralValue {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<f64> for LiteralValue {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}
