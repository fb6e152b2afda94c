//! The expectations that a table can be checked for: names of Great Expectations 1.24, short names, arguments.
//!
//! The reference page, the check of configurations and the evaluation in `hotpass-quality` read this one table.

/// What an expectation looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExpectationDomain {
    /// The values of a column, each by itself: argument `column`.
    Values,
    /// The values of two columns, row by row: arguments `column_A` and `column_B`.
    Pair,
    /// The values of several columns, row by row: argument `column_list`.
    Columns,
    /// A figure of a column: argument `column`.
    Aggregate,
    /// The table.
    Table,
    /// A figure of a column against an earlier run: argument `column`.
    Drift,
}

impl ExpectationDomain {
    /// Returns whether single rows fail, so that they can be taken out.
    pub const fn is_row_level(self) -> bool {
        matches!(self, Self::Values | Self::Pair | Self::Columns)
    }
}

/// An expectation: its name, what it looks at, its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpectationSpec {
    /// Name in Great Expectations; one of Hotpass's own follows its style.
    pub name: &'static str,
    /// Short name in profiles.
    pub alias: Option<&'static str>,
    /// What it looks at.
    pub domain: ExpectationDomain,
    /// Arguments that must be given, besides those of the domain.
    pub required: &'static [&'static str],
    /// Arguments that may be given, besides `mostly` and `row_condition`.
    pub optional: &'static [&'static str],
    /// What holds, in a sentence.
    pub summary: &'static str,
}

const BOUNDS: &[&str] = &["min_value", "max_value", "strict_min", "strict_max"];

const fn spec(
    name: &'static str,
    alias: Option<&'static str>,
    domain: ExpectationDomain,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    summary: &'static str,
) -> ExpectationSpec {
    ExpectationSpec { name, alias, domain, required, optional, summary }
}

use ExpectationDomain::{Aggregate, Columns, Drift, Pair, Table, Values};

/// The expectations, those of values first.
pub const EXPECTATIONS: &[ExpectationSpec] = &[
    spec("expect_column_values_to_not_be_null", Some("not_null"), Values, &[], &[], "The value is present"),
    spec("expect_column_values_to_be_null", Some("null"), Values, &[], &[], "The value is missing"),
    spec("expect_column_values_to_be_unique", Some("unique"), Values, &[], &[], "The value occurs once"),
    spec(
        "expect_column_values_to_match_regex",
        Some("match_regex"),
        Values,
        &[],
        &["regex"],
        "The regular expression occurs in the value",
    ),
    spec(
        "expect_column_values_to_not_match_regex",
        Some("not_match_regex"),
        Values,
        &["regex"],
        &[],
        "The regular expression does not occur in the value",
    ),
    spec(
        "expect_column_values_to_match_regex_list",
        None,
        Values,
        &["regex_list"],
        &["match_on"],
        "Any of the regular expressions occurs in the value; all with `match_on: all`",
    ),
    spec(
        "expect_column_values_to_not_match_regex_list",
        None,
        Values,
        &["regex_list"],
        &[],
        "None of the regular expressions occurs in the value",
    ),
    spec(
        "expect_column_values_to_match_like_pattern",
        None,
        Values,
        &["like_pattern"],
        &["escape"],
        "The value is LIKE the SQL pattern",
    ),
    spec(
        "expect_column_values_to_not_match_like_pattern",
        None,
        Values,
        &["like_pattern"],
        &["escape"],
        "The value is not LIKE the SQL pattern",
    ),
    spec(
        "expect_column_values_to_match_like_pattern_list",
        None,
        Values,
        &["like_pattern_list"],
        &["match_on", "escape"],
        "The value is LIKE any of the SQL patterns; all with `match_on: all`",
    ),
    spec(
        "expect_column_values_to_not_match_like_pattern_list",
        None,
        Values,
        &["like_pattern_list"],
        &["escape"],
        "The value is LIKE none of the SQL patterns",
    ),
    spec("expect_column_values_to_be_in_set", Some("in_set"), Values, &["value_set"], &[], "The value is one of a set"),
    spec(
        "expect_column_values_to_not_be_in_set",
        Some("not_in_set"),
        Values,
        &["value_set"],
        &[],
        "The value is none of a set",
    ),
    spec(
        "expect_column_values_to_be_between",
        Some("between"),
        Values,
        &[],
        BOUNDS,
        "The value lies between two bounds; `strict_min` and `strict_max` leave the bound itself out",
    ),
    spec(
        "expect_column_value_lengths_to_be_between",
        Some("lengths_between"),
        Values,
        &[],
        BOUNDS,
        "The number of characters lies between two bounds",
    ),
    spec(
        "expect_column_value_lengths_to_equal",
        Some("length"),
        Values,
        &["value"],
        &[],
        "The number of characters is this",
    ),
    spec("expect_column_values_to_be_of_type", Some("of_type"), Values, &["type_"], &[], "The column has the type"),
    spec(
        "expect_column_values_to_be_in_type_list",
        None,
        Values,
        &["type_list"],
        &[],
        "The column has one of the types",
    ),
    spec(
        "expect_column_values_to_be_increasing",
        None,
        Values,
        &[],
        &["strictly"],
        "The value is not below the one before it; above it with `strictly`",
    ),
    spec(
        "expect_column_values_to_be_decreasing",
        None,
        Values,
        &[],
        &["strictly"],
        "The value is not above the one before it; below it with `strictly`",
    ),
    spec(
        "expect_column_values_to_match_strftime_format",
        Some("match_strftime"),
        Values,
        &["strftime_format"],
        &[],
        "The text is a date or time in the format",
    ),
    spec(
        "expect_column_values_to_be_dateutil_parseable",
        None,
        Values,
        &[],
        &[],
        "The text reads as a date or time in one of the usual ways of writing them",
    ),
    spec("expect_column_values_to_be_json_parseable", None, Values, &[], &[], "The text is JSON"),
    spec(
        "expect_column_value_z_scores_to_be_less_than",
        None,
        Values,
        &["threshold"],
        &["double_sided"],
        "The value is less than so many standard deviations from the mean",
    ),
    spec(
        "expect_column_pair_values_to_be_equal",
        None,
        Pair,
        &[],
        &["ignore_row_if"],
        "The values of two columns are equal",
    ),
    spec(
        "expect_column_pair_values_a_to_be_greater_than_b",
        None,
        Pair,
        &[],
        &["or_equal", "ignore_row_if"],
        "The value of column A is above that of column B",
    ),
    spec(
        "expect_column_pair_values_to_be_in_set",
        None,
        Pair,
        &["value_pairs_set"],
        &["ignore_row_if"],
        "The pair of values is one of a set",
    ),
    spec(
        "expect_compound_columns_to_be_unique",
        Some("compound_unique"),
        Columns,
        &[],
        &["ignore_row_if"],
        "The values of the columns together occur once",
    ),
    spec(
        "expect_select_column_values_to_be_unique_within_record",
        None,
        Columns,
        &[],
        &["ignore_row_if"],
        "No two of the columns have the same value in a row",
    ),
    spec(
        "expect_multicolumn_values_to_be_unique",
        None,
        Columns,
        &[],
        &["ignore_row_if"],
        "No two of the columns have the same value in a row",
    ),
    spec(
        "expect_multicolumn_values_to_be_equal",
        None,
        Columns,
        &[],
        &["ignore_row_if"],
        "All of the columns have the same value in a row",
    ),
    spec(
        "expect_multicolumn_sum_to_equal",
        None,
        Columns,
        &["sum_total"],
        &["ignore_row_if"],
        "The values of the columns add up to this",
    ),
    spec("expect_column_to_exist", None, Table, &["column"], &["column_index"], "The column exists"),
    spec(
        "expect_table_row_count_to_be_between",
        None,
        Table,
        &[],
        BOUNDS,
        "The number of rows lies between two bounds",
    ),
    spec("expect_table_row_count_to_equal", None, Table, &["value"], &[], "The number of rows is this"),
    spec(
        "expect_table_column_count_to_be_between",
        None,
        Table,
        &[],
        &["min_value", "max_value"],
        "The number of columns lies between two bounds",
    ),
    spec("expect_table_column_count_to_equal", None, Table, &["value"], &[], "The number of columns is this"),
    spec(
        "expect_table_columns_to_match_set",
        None,
        Table,
        &[],
        &["column_set", "exact_match"],
        "The columns are these in any order; others may be there without `exact_match`",
    ),
    spec(
        "expect_table_columns_to_match_ordered_list",
        None,
        Table,
        &[],
        &["column_list"],
        "The columns are these in this order",
    ),
    spec(
        "unexpected_rows_expectation",
        Some("sql"),
        Table,
        &["unexpected_rows_query"],
        &["description"],
        "The SQL query returns no row; `{batch}` stands for the table",
    ),
    spec("expect_column_type_to_be", None, Aggregate, &["type_"], &[], "The column has the type"),
    spec("expect_column_min_to_be_between", None, Aggregate, &[], BOUNDS, "The least value lies between two bounds"),
    spec("expect_column_max_to_be_between", None, Aggregate, &[], BOUNDS, "The greatest value lies between two bounds"),
    spec("expect_column_sum_to_be_between", None, Aggregate, &[], BOUNDS, "The sum lies between two bounds"),
    spec("expect_column_mean_to_be_between", None, Aggregate, &[], BOUNDS, "The mean lies between two bounds"),
    spec("expect_column_median_to_be_between", None, Aggregate, &[], BOUNDS, "The median lies between two bounds"),
    spec(
        "expect_column_stdev_to_be_between",
        None,
        Aggregate,
        &[],
        BOUNDS,
        "The sample standard deviation (divisor n − 1) lies between two bounds",
    ),
    spec(
        "expect_column_quantile_values_to_be_between",
        None,
        Aggregate,
        &["quantile_ranges"],
        &["allow_relative_error"],
        "Each quantile lies in its range; the nearest value counts unless `allow_relative_error` names another way",
    ),
    spec(
        "expect_column_unique_value_count_to_be_between",
        None,
        Aggregate,
        &[],
        BOUNDS,
        "The number of distinct values lies between two bounds",
    ),
    spec(
        "expect_column_proportion_of_unique_values_to_be_between",
        None,
        Aggregate,
        &[],
        BOUNDS,
        "Distinct values by values present lie between two bounds",
    ),
    spec(
        "expect_column_proportion_of_non_null_values_to_be_between",
        None,
        Aggregate,
        &[],
        BOUNDS,
        "Values present by rows lie between two bounds",
    ),
    spec(
        "expect_column_distinct_values_to_be_in_set",
        None,
        Aggregate,
        &["value_set"],
        &[],
        "Every distinct value is in the set",
    ),
    spec(
        "expect_column_distinct_values_to_contain_set",
        None,
        Aggregate,
        &["value_set"],
        &[],
        "Every value of the set occurs",
    ),
    spec(
        "expect_column_distinct_values_to_equal_set",
        None,
        Aggregate,
        &["value_set"],
        &[],
        "The distinct values are the set",
    ),
    spec(
        "expect_column_most_common_value_to_be_in_set",
        None,
        Aggregate,
        &["value_set"],
        &["ties_okay"],
        "The value that occurs most is in the set; a tie fails unless `ties_okay`",
    ),
    spec(
        "expect_column_kl_divergence_to_be_less_than",
        None,
        Aggregate,
        &["partition_object"],
        &["threshold", "tail_weight_holdout", "internal_weight_holdout", "bucketize_data"],
        "The Kullback–Leibler divergence from a given distribution, in nats, is at most the threshold",
    ),
    spec(
        "expect_column_psi_to_be_less_than",
        Some("psi"),
        Drift,
        &["threshold"],
        &[],
        "The population stability index against the previous run is below the threshold",
    ),
    spec(
        "expect_column_ks_statistic_to_be_less_than",
        Some("ks"),
        Drift,
        &["threshold"],
        &[],
        "The two-sample Kolmogorov–Smirnov statistic against the previous run is below the threshold",
    ),
    spec(
        "expect_column_fill_to_be_within",
        Some("fill_within"),
        Drift,
        &["tolerance"],
        &[],
        "The share of values present differs from that of the previous run by at most so much",
    ),
    spec(
        "expect_column_distinct_count_change_to_be_within",
        Some("distinct_within"),
        Drift,
        &["tolerance"],
        &[],
        "The number of distinct values differs from that of the previous run by at most this share of it",
    ),
    spec(
        "expect_table_row_count_change_to_be_within",
        Some("rows_within"),
        Table,
        &["tolerance"],
        &[],
        "The number of rows differs from that of the previous run by at most this share of it",
    ),
];

/// Returns the expectation of a name or short name.
pub fn expectation_spec(name: &str) -> Option<&'static ExpectationSpec> {
    EXPECTATIONS.iter().find(|spec| spec.name == name || spec.alias == Some(name))
}

/// Returns every name and short name.
pub fn expectation_names() -> impl Iterator<Item = &'static str> {
    EXPECTATIONS.iter().flat_map(|spec| [Some(spec.name), spec.alias]).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_short_names_are_unique() {
        let mut names: Vec<_> = expectation_names().collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        assert_eq!(expectation_spec("between").map(|spec| spec.name), Some("expect_column_values_to_be_between"));
    }
}
