"""Writes splink_library.json: what Splink's own builders give for DuckDB, for the builders of `library` to agree with.

Run with Splink 5.0.0 installed: python splink_library.py > splink_library.json
"""

import json

import splink.blocking_rule_library as brl
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import ColumnExpression as C
from splink import block_on
from splink.internals.dialects import SplinkDialect

comparisons = {
    "exact_match": cl.ExactMatch("first_name"),
    "exact_match configured": cl.ExactMatch("first name").configure(
        term_frequency_adjustments=True, m_probabilities=[0.9, 0.1], u_probabilities=[0.001, 0.999]
    ),
    "exact_match of expression configured": cl.ExactMatch("substr(dob, 1, 4)").configure(
        term_frequency_adjustments=True
    ),
    "levenshtein_at_thresholds": cl.LevenshteinAtThresholds("dob"),
    "levenshtein_at_thresholds 3": cl.LevenshteinAtThresholds("dob", 3),
    "damerau_levenshtein_at_thresholds": cl.DamerauLevenshteinAtThresholds("dob"),
    "damerau_levenshtein_at_thresholds of transform": cl.DamerauLevenshteinAtThresholds(C("dob").lower(), 1),
    "jaro_at_thresholds": cl.JaroAtThresholds("surname"),
    "jaro_winkler_at_thresholds": cl.JaroWinklerAtThresholds("surname", [1, 0.5]),
    "jaccard_at_thresholds": cl.JaccardAtThresholds("surname", [0.9, 0.7]),
    "distance_function_at_thresholds": cl.DistanceFunctionAtThresholds("surname", "hamming", [1, 3], False),
    "distance_function_at_thresholds higher": cl.DistanceFunctionAtThresholds("surname", "jaccard", [0.9]),
    "pairwise levenshtein": cl.PairwiseStringDistanceFunctionAtThresholds("names", "levenshtein", [1, 2]),
    "pairwise damerau_levenshtein": cl.PairwiseStringDistanceFunctionAtThresholds("names", "damerau_levenshtein", 1),
    "pairwise jaro": cl.PairwiseStringDistanceFunctionAtThresholds("names", "jaro", [0.9]),
    "pairwise jaro_winkler": cl.PairwiseStringDistanceFunctionAtThresholds("names", "jaro_winkler", [0.9, 0.8]),
    "absolute_time_difference text": cl.AbsoluteTimeDifferenceAtThresholds(
        "seen_at",
        input_is_string=True,
        metrics=["second", "minute", "hour", "day", "month", "year"],
        thresholds=[1, 2, 3, 4, 5, 6],
    ),
    "absolute_time_difference native": cl.AbsoluteTimeDifferenceAtThresholds(
        "seen_at", input_is_string=False, metrics=["hour", "day"], thresholds=[1.5, 0.5]
    ),
    "absolute_date_difference text": cl.AbsoluteDateDifferenceAtThresholds(
        "dob",
        input_is_string=True,
        metrics=["day", "month"],
        thresholds=[1, 3],
        datetime_format="%d/%m/%Y",
        term_frequency_adjustments=True,
    ),
    "absolute_date_difference invalid kept": cl.AbsoluteDateDifferenceAtThresholds(
        "dob", input_is_string=True, metrics="year", thresholds=1, invalid_dates_as_null=False
    ),
    "array_intersect_at_sizes": cl.ArrayIntersectAtSizes("tags", [3, 1]),
    "distance_in_km_at_thresholds": cl.DistanceInKMAtThresholds("lat", "long", [1, 10.5]),
    "distance_in_km_at_thresholds of parts": cl.DistanceInKMAtThresholds("place['lat']", "place['long']", 1),
    "cosine_similarity_at_thresholds": cl.CosineSimilarityAtThresholds("embedding"),
    "custom_comparison": cl.CustomComparison(
        [cll.NullLevel("a"), cll.CustomLevel("a_l = b_r"), cll.ElseLevel()], output_column_name="mine"
    ),
    "date_of_birth_comparison text": cl.DateOfBirthComparison("dob", input_is_string=True),
    "date_of_birth_comparison native": cl.DateOfBirthComparison("dob", input_is_string=False),
    "date_of_birth_comparison own": cl.DateOfBirthComparison(
        "dob",
        input_is_string=True,
        datetime_thresholds=[2, 0.5],
        datetime_metrics=["day", "year"],
        datetime_format="%Y%m%d",
        invalid_dates_as_null=False,
    ),
    "postcode_comparison": cl.PostcodeComparison("postcode"),
    "postcode_comparison valid": cl.PostcodeComparison("postcode", invalid_postcodes_as_null=True),
    "postcode_comparison distances": cl.PostcodeComparison("postcode", lat_col="lat", long_col="long"),
    "email_comparison": cl.EmailComparison("email"),
    "email_comparison of transform": cl.EmailComparison(C("email").lower()),
    "name_comparison": cl.NameComparison("first_name"),
    "name_comparison own": cl.NameComparison(
        "first_name", jaro_winkler_thresholds=[0.95, 0.6], dmeta_col_name="first_name_dm"
    ),
    "name_comparison of transform": cl.NameComparison(C("first_name").lower()),
    "forename_surname_comparison": cl.ForenameSurnameComparison("first_name", "surname"),
    "forename_surname_comparison own": cl.ForenameSurnameComparison(
        "first_name", "surname", jaro_winkler_thresholds=[0.9], forename_surname_concat_col_name="full_name"
    ),
    "forename_surname_comparison configured": cl.ForenameSurnameComparison("first_name", "surname").configure(
        term_frequency_adjustments=True
    ),
}

levels = {
    "null_level": cll.NullLevel("a"),
    "null_level_with_valid_pattern": cll.NullLevel("a", valid_string_pattern="^[0-9]+$"),
    "else_level": cll.ElseLevel(),
    "custom_level": cll.CustomLevel("a_l = b_r"),
    "custom_level labelled": cll.CustomLevel("a_l = b_r", "crossed"),
    "exact_match_level": cll.ExactMatchLevel("a"),
    "exact_match_level_with_term_frequencies": cll.ExactMatchLevel("a", term_frequency_adjustments=True),
    "exact_match_level configured": cll.ExactMatchLevel("a").configure(
        m_probability=0.9,
        u_probability=0.1,
        tf_adjustment_column="a",
        tf_adjustment_weight=0.5,
        tf_minimum_u_value=0.001,
        disable_tf_exact_match_detection=True,
        fix_m_probability=True,
        fix_u_probability=True,
        label_for_charts="same",
    ),
    "literal_match_level text": cll.LiteralMatchLevel("a", "x", "string"),
    "literal_match_level float": cll.LiteralMatchLevel("a", "1.5", "float", "left"),
    "literal_match_level integer": cll.LiteralMatchLevel("a", "-1", "int", "right"),
    "literal_match_level date": cll.LiteralMatchLevel("a", "2020-01-01", "date"),
    "columns_reversed_level": cll.ColumnsReversedLevel("a", "b"),
    "columns_reversed_level symmetrical": cll.ColumnsReversedLevel("a", "b", symmetrical=True),
    "levenshtein_level": cll.LevenshteinLevel("a", 1),
    "damerau_levenshtein_level": cll.DamerauLevenshteinLevel("a", 1),
    "jaro_winkler_level": cll.JaroWinklerLevel("a", 0.00001),
    "jaro_level": cll.JaroLevel("a", 0.9),
    "jaccard_level": cll.JaccardLevel("a", 1.0),
    "distance_function_level": cll.DistanceFunctionLevel("a", "hamming", 1, False),
    "pairwise_string_distance_function_level": cll.PairwiseStringDistanceFunctionLevel("a", "jaro_winkler", 0.8),
    "absolute_time_difference_level": cll.AbsoluteTimeDifferenceLevel(
        "a", input_is_string=True, threshold=1, metric="month"
    ),
    "absolute_date_difference_level": cll.AbsoluteDateDifferenceLevel(
        "a", input_is_string=False, threshold=10, metric="day"
    ),
    "absolute_difference_level": cll.AbsoluteDifferenceLevel("a", 1e20),
    "percentage_difference_level": cll.PercentageDifferenceLevel("a", 0.125),
    "distance_in_km_level": cll.DistanceInKMLevel("lat", "long", 1.5),
    "distance_in_km_level not null": cll.DistanceInKMLevel("ll['lat']", "ll[1]", 1, True),
    "cosine_similarity_level": cll.CosineSimilarityLevel("a", 0.9),
    "array_intersect_level": cll.ArrayIntersectLevel("a", 2),
    "array_subset_level": cll.ArraySubsetLevel("a"),
    "array_subset_level empty": cll.ArraySubsetLevel("a", empty_is_subset=True),
    "and of null levels": cll.And(cll.NullLevel("a"), cll.NullLevel("b")),
    "and": cll.And(cll.NullLevel("a"), cll.ExactMatchLevel("b")),
    "or": cll.Or(cll.ExactMatchLevel("a"), cll.CustomLevel("b_l > 1")),
    "not": cll.Not(cll.NullLevel("a")),
    "transforms": cll.ExactMatchLevel(
        C("first name")
        .lower()
        .substr(1, 3)
        .cast_to_string()
        .regex_extract("^(.)x", 1)
        .nullif("")
        .try_parse_date()
        .try_parse_timestamp("%H")
        .access_extreme_array_element("last")
    ),
    "transforms of expression": cll.ExactMatchLevel(
        C("coalesce(a, b)").try_parse_date("%d").try_parse_timestamp().access_extreme_array_element("first")
    ),
}

rules = {
    "block_on": block_on("first name"),
    "block_on several": block_on("surname", "substr(first_name, 1, 1)", C("dob").substr(1, 4)),
    "block_on exploded": block_on("tag", "sex", arrays_to_explode=["tag"]),
    "custom_rule": brl.CustomRule("l.x = r.y and l.z > 1", arrays_to_explode=["x"]),
    "and": brl.And(block_on("a"), brl.CustomRule("l.x = r.y")),
    "not": brl.And(block_on("a"), brl.Not(block_on("b"))),
}

# Texts of columns and expressions, each with what an exact match level on it compares on the left.
expressions = [
    "first_name", "first name", "Name", "a.b", "a['lat']", "a[0]", "a[-1]", "\"x y\"['lat']", "lat long[2]", "1st", "group", "a-b",
    "b::text", "café", "a # b", "\"quoted\"", "lower(a)", "a || b", "substr(b,1,3)", "upper(x)||'a'", "coalesce(a,'x')",
    "coalesce(a, 'o''brien')", "cast(x as varchar)", "CAST(a AS INT)", "cast(a as double)", "cast(a as string)",
    "cast(a as integer)", "cast(a as date)", "cast(a as float)", "try_cast(a as int)", "(a::date)", "lower(a)::text",
    "try_strptime(a, '%Y')", "left(a, 2)", "right(a,2)", "len(a)", "length(a)", "concat(a,b)", "a + (b)", "(a)*2", "floor(a / 2)", "abs(a-1)",
    "abs(-a)", "strptime(a,'%Y')", "list_sort(a)", "trim(a)", "upper(trim(a))", "a || '_' || b", "substr(name, 1, 1) || lower(b)",
    "case when length(a) > 1 then a else null end || ''", "extract(year from (a))", "date_part('year', a)",
    "regexp_replace(a,'[^0-9]','','g')", "regexp_extract(a, '[0-9]+')", "array_to_string(a, ' ')", "list_extract(a,1)", "year(a)", "round(a,1)",
    "strftime(a, '%Y')", "replace(a,' ','')", "split_part(a,' ',1)", "nullif(a,'')", "ifnull(a,'')", "lcase(a)", "reverse(a)",
    "not (a)", "(a != b)", "(a <> b and c)", "strip_accents(a)", "array_length(a)", "string_split(a,' ')", "starts_with(a,'x')",
    "left(\"First Name\",1)", "(a in ('x', 'y'))", "a[1] || b", "postcode_prefix(x, 3)", "double_metaphone(x)",
    "damerau_levenshtein(a, 'x')", "(a between 1 and 2)",
]


def left(expression):
    column = C(expression)
    column.sql_dialect = SplinkDialect.from_string("duckdb")
    return [column.name_l, column.l_name, column.output_column_name]


print(
    json.dumps(
        {
            "comparisons": {name: c.get_comparison("duckdb").as_dict() for name, c in comparisons.items()},
            "levels": {name: level.create_level_dict("duckdb") for name, level in levels.items()},
            "rules": {name: rule.get_blocking_rule("duckdb").as_dict() for name, rule in rules.items()},
            "expressions": {expression: left(expression) for expression in expressions},
        },
        indent=1,
        ensure_ascii=False,
    )
)
