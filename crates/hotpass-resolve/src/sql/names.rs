//! Names of functions: aliases, and what is known natively.

/// The names beside the one name that functions over one record go by.
#[cfg(feature = "sql")]
pub(crate) const ALIASES: &[&str] = &[
    "substr",
    "lcase",
    "ucase",
    "len",
    "char_length",
    "character_length",
    "array_length",
    "list_element",
    "array_extract",
    "array_intersect",
    "array_has_any",
    "array_has_all",
    "list_has",
    "array_contains",
    "array_has",
    "list_pack",
    "array_distinct",
    "array_sort",
    "list_cat",
    "array_concat",
    "array_cat",
    "array_min",
    "array_max",
    "split",
    "str_split",
    "string_to_array",
    "datediff",
    "datepart",
    "datetrunc",
    "prefix",
    "suffix",
    "instr",
    "position",
    "ceiling",
    "pow",
    "log",
];

/// Gives the one name that a function goes by, in lower case.
pub(crate) fn canonical(name: &str, n_arguments: usize) -> String {
    let lower = name.to_lowercase();
    let known = match lower.as_str() {
        "substr" | "substring" => "substring",
        "lcase" => "lower",
        "ucase" => "upper",
        "len" | "char_length" | "character_length" => "length",
        "array_length" if n_arguments == 1 => "length",
        "ifnull" => "coalesce",
        "list_element" | "array_extract" | "list_extract" => "list_extract",
        "array_intersect" => "list_intersect",
        "array_has_any" => "list_has_any",
        "array_has_all" => "list_has_all",
        "list_has" | "array_contains" | "array_has" => "list_contains",
        "array_cosine_similarity" => "list_cosine_similarity",
        "list_pack" => "list_value",
        "array_distinct" => "list_distinct",
        "array_sort" => "list_sort",
        "list_cat" | "array_concat" | "array_cat" => "list_concat",
        "array_min" => "list_min",
        "array_max" => "list_max",
        "split" | "str_split" | "string_to_array" => "string_split",
        "datediff" => "date_diff",
        "datepart" => "date_part",
        "datetrunc" => "date_trunc",
        "prefix" => "starts_with",
        "suffix" => "ends_with",
        "instr" | "position" => "strpos",
        "mismatches" => "hamming",
        "editdist3" => "levenshtein",
        "ceiling" => "ceil",
        "pow" => "power",
        "log" if n_arguments == 1 => "log10",
        _ => return lower,
    };
    known.to_owned()
}

/// A part of a date, by any of its names; the name DuckDB documents first.
pub(crate) fn date_part(name: &str) -> Option<&'static str> {
    Some(match name.to_lowercase().as_str() {
        "year" | "years" | "y" | "yr" | "yrs" => "year",
        "quarter" | "quarters" => "quarter",
        "month" | "months" | "mon" | "mons" => "month",
        "week" | "weeks" | "w" | "weekofyear" => "week",
        "day" | "days" | "d" | "dayofmonth" => "day",
        "hour" | "hours" | "h" | "hr" | "hrs" => "hour",
        "minute" | "minutes" | "m" | "min" | "mins" => "minute",
        "second" | "seconds" | "s" | "sec" | "secs" => "second",
        "dow" | "dayofweek" | "weekday" => "dow",
        "doy" | "dayofyear" => "doy",
        "epoch" => "epoch",
        _ => return None,
    })
}
