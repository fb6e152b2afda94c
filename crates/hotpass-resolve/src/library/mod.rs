//! Ready-made comparisons, comparison levels, blocking rules and column transforms.
//!
//! ```
//! use hotpass_resolve::library::{
//!     ColumnExpression, DateInput, block_on, date_of_birth_comparison, email_comparison, exact_match, name_comparison,
//! };
//! use hotpass_resolve::model::{LinkType, LinkageModel};
//!
//! let model = LinkageModel::new(LinkType::DedupeOnly)
//!     .compare(name_comparison("first_name"))
//!     .compare(name_comparison(ColumnExpression::new("surname").lower()))
//!     .compare(date_of_birth_comparison("dob", &DateInput::text()))
//!     .compare(email_comparison("email"))
//!     .compare(exact_match("city").term_frequency_adjustments())
//!     .block_on(block_on(["surname", "substr(first_name, 1, 1)"]))
//!     .block_on(block_on(["dob"]));
//!
//! assert_eq!(model.comparisons[2].levels[2].sql_condition, r#"levenshtein("dob_l", "dob_r") <= 1"#);
//! ```
//!
//! A builder takes a column's name, an SQL expression over one record (`"substr(surname, 1, 3)"`) or a [`ColumnExpression`], which
//! chains transforms. It turns into a [`Comparison`](crate::model::Comparison), a [`ComparisonLevel`](crate::model::ComparisonLevel)
//! or a [`BlockingRule`](crate::model::BlockingRule) by `into()`, and says no more than what a person could write there as SQL:
//! thresholds that no value reaches make levels that no pair has. [`mod@levels`] and [`mod@rules`] hold levels, rules and the
//! combinators `and`, `or` and `not` of either.
//!
//! # Comparisons
//!
//! Each starts with a null level and ends with the catch-all. Those marked **S** are in Splink under the same name in its own
//! spelling (`NameComparison`); their SQL, labels and descriptions are those of Splink 5.0.0 for DuckDB, to the character.
//!
//! | Builder | | Levels in between |
//! | --- | --- | --- |
//! | [`exact_match`] | S | equal |
//! | [`levenshtein_at_thresholds`], [`damerau_levenshtein_at_thresholds`] | S | equal, then each distance ≤ threshold |
//! | [`jaro_at_thresholds`], [`jaro_winkler_at_thresholds`], [`jaccard_at_thresholds`] | S | equal, then each similarity ≥ threshold |
//! | [`distance_function_at_thresholds`] | S | equal, then thresholds on a function by its SQL name |
//! | [`pairwise_string_distance_at_thresholds`] | S | an array element shared, then the most similar pair of elements |
//! | [`absolute_time_difference_at_thresholds`], [`absolute_date_difference_at_thresholds`] | S | equal, then elapsed time ≤ threshold |
//! | [`array_intersect_at_sizes`] | S | shared elements ≥ size |
//! | [`distance_in_km_at_thresholds`] | S | great-circle distance ≤ threshold |
//! | [`cosine_similarity_at_thresholds`] | S | cosine of number lists ≥ threshold |
//! | [`custom_comparison`] | S | as given |
//! | [`date_of_birth_comparison`] | S | equal, one edit, 1 month, 1 year, 10 years |
//! | [`postcode_comparison`] | S | United Kingdom: equal, sector, district, area; or equal, sector, distances |
//! | [`email_comparison`] | S | equal, user part equal, whole similar, user part similar |
//! | [`name_comparison`] | S | equal, Jaro–Winkler 0.92, 0.88, 0.7; [with](name_comparison_with) nicknames and sound |
//! | [`forename_surname_comparison`] | S | both equal, swapped, both similar, one equal |
//! | [`qgram_jaccard_at_thresholds`], [`qgram_dice_at_thresholds`] | | equal, then similarity of q-gram sets ≥ threshold |
//! | [`token_jaccard_at_thresholds`], [`token_cosine_at_thresholds`] | | equal, then similarity of tokens ≥ threshold |
//! | [`tfidf_cosine_at_thresholds`], [`soft_tfidf_at_thresholds`] | | equal, then similarity of tokens, rare ones weighing more |
//! | [`monge_elkan_at_thresholds`] | | equal, then mean best similarity of tokens ≥ threshold |
//! | [`phonetic_comparison`] | | equal, same phonetic code |
//! | [`absolute_difference_at_thresholds`], [`percentage_difference_at_thresholds`] | | equal, then difference of numbers |
//! | [`organization_comparison`] | | equal, equal without legal form, similar |
//! | [`united_kingdom_postcode_comparison`] | | any spelling: equal, sector, district, area |
//! | [`postcode_prefix_comparison`] | | any country: equal in compact form, then prefixes |
//! | [`phone_comparison`] | | digits equal, last digits equal, one edit in them |
//! | [`web_comparison`] | | domain equal, registered name equal, similar |
//! | [`haversine_distance_at_thresholds`] | | great-circle distance ≤ threshold, exact for near points |
//!
//! # Functions
//!
//! [`FUNCTIONS`] lists the functions that conditions, rules and transforms can use beside those of DuckDB. Real Splink does not
//! know them, so a model that names them runs here only.
//!
//! # SQL expressions
//!
//! Text with parentheses or `||` is SQL over one record. It is written the way Splink writes it: functions in capitals, `substr` as
//! `SUBSTRING`, `x::date` as a cast. Splink rewrites a few forms further (`IS NOT NULL` as `NOT … IS NULL`, `mod(a, b)` as `a % b`,
//! arrows of lambdas); these stay as they are here and mean the same.

mod comparisons;
mod expression_text;
mod functions;
pub mod levels;
mod number;
pub mod rules;
mod transforms;

#[cfg(test)]
mod splink_tests;

pub use comparisons::{
    ComparisonBuilder, LibraryError, NameOptions, NameSound, PhoneticCode, PostcodeDistances, PostcodeOptions,
    absolute_date_difference_at_thresholds, absolute_difference_at_thresholds, absolute_time_difference_at_thresholds,
    array_intersect_at_sizes, cosine_similarity_at_thresholds, custom_comparison, damerau_levenshtein_at_thresholds,
    date_of_birth_comparison, date_of_birth_comparison_at_thresholds, distance_function_at_thresholds,
    distance_in_km_at_thresholds, email_comparison, exact_match, forename_surname_comparison,
    forename_surname_comparison_with, haversine_distance_at_thresholds, jaccard_at_thresholds, jaro_at_thresholds,
    jaro_winkler_at_thresholds, levenshtein_at_thresholds, monge_elkan_at_thresholds, name_comparison,
    name_comparison_with, organization_comparison, organization_comparison_at_thresholds,
    pairwise_string_distance_at_thresholds, percentage_difference_at_thresholds, phone_comparison, phonetic_comparison,
    phonetic_level, postcode_comparison, postcode_comparison_with, postcode_prefix_comparison,
    qgram_dice_at_thresholds, qgram_jaccard_at_thresholds, soft_tfidf_at_thresholds, tfidf_cosine_at_thresholds,
    token_cosine_at_thresholds, token_jaccard_at_thresholds, united_kingdom_postcode_comparison, web_comparison,
};
pub use functions::{
    FUNCTIONS, Function, FunctionKind, FunctionResult, RecordFunction, function, record_function, text_similarity,
};
pub use levels::{DateInput, LevelBuilder, LiteralSide, LiteralValue, StringDistance, TimeMetric};
pub use number::Threshold;
pub use rules::{RuleBuilder, block_on, custom_rule};
pub use transforms::{ArrayElement, ColumnExpression, DATE_FORMAT, TIMESTAMP_FORMAT};
