"""Runs the same suites through Great Expectations and through Hotpass, and compares them expectation by expectation.

Usage: compare_great_expectations.py EVALUATE_SUITE HOTPASS DATA FOLDER

EVALUATE_SUITE is the example of that name, HOTPASS the program, DATA the folder of test data (the tables made here are
checked without it), FOLDER takes the tables and suites. Compared are the verdict, whether the expectation could be
checked at all, the counts of rows, unexpected and missing, and what was observed. Suites go both ways: Great Expectations
writes those that Hotpass runs, and loads what Hotpass writes (suites, suites of contracts, results). Where the peer has no
engine for it in pandas (LIKE patterns, SQL), it runs on SQLite; Hotpass's own drift measures are held against numpy and scipy.

`--report FILE` writes the table of the run as Markdown; names after it run only these tables. Exit code 1 when anything
differs that is not meant.
"""

import io
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

os.environ["GX_ANALYTICS_ENABLED"] = "false"
warnings.simplefilter("ignore")

import great_expectations as gx  # noqa: E402
import pandas as pd  # noqa: E402
from great_expectations.core import ExpectationSuite  # noqa: E402
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration  # noqa: E402

# --------------------------------------------------------------------------------------------------------------- tables


def edge_table():
    """Columns that are awkward on purpose: nothing but nulls, ties, one value, text that spells numbers, any script."""
    rows = 240
    words = ["Ünïcode", "Ünïcode", "日本語", "👩‍👩‍👧", "e\u0301", "é", "ß", "İ", "straße", "a b", "A\tB", "'quoted'", 'dou"ble', "comma, here"]
    mixed = ["12", "7", "007", "abc", "1e3", "-4", "3.50", "N/A", "0", "١٢", "12 "]
    dates = ["2024-01-31", "2024-02-30", "31/01/2024", "2024-1-5", "yesterday", "2023-12-25", "20240131"]
    codes = ["A1", "B22", "C333", "a1", "", "D4444"]
    return {
        "id": list(range(1, rows + 1)),
        "doubled": [i // 2 for i in range(rows)],
        "constant": [5] * rows,
        "empty": [None] * rows,
        "one_value": [None] * (rows - 1) + ["only"],
        "whole": [(i * 37) % 101 - 50 for i in range(rows)],
        "sparse": [None if i % 7 == 0 else round(((i * 13) % 97) / 4, 2) for i in range(rows)],
        "tiny": [0.1 * (i % 10) for i in range(rows)],
        "tie": [["x", "y", "z"][i % 3] for i in range(rows)],
        "mode": [["x", "x", "y", None][i % 4] for i in range(rows)],
        "word": [words[i % len(words)] for i in range(rows)],
        "mixed": [mixed[i % len(mixed)] for i in range(rows)],
        "day": [dates[i % len(dates)] for i in range(rows)],
        "code": [codes[i % len(codes)] or None for i in range(rows)],
        "truth": [i % 3 == 0 for i in range(rows)],
        "left": [None if i % 11 == 0 else i % 10 for i in range(rows)],
        "right": [None if i % 13 == 0 else i % 9 for i in range(rows)],
        "spouse": [["ann", "bob", None][i % 3] for i in range(rows)],
        "mate": [["ann", "cat", None, "bob"][i % 4] for i in range(rows)],
        "json": [['{"a": 1}', "[1, 2", "null", "text"][i % 4] for i in range(rows)],
    }


def read(path, text):
    """Reads a table as both sides see it: an empty cell is missing; all text, or types by content as a reader finds them."""
    if text:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
        return frame.astype(object).where(frame.notna(), None)
    frame = pd.read_csv(path, keep_default_na=False, na_values=[""], float_precision="round_trip")
    for column in TIMES:
        if column in frame:
            frame[column] = pd.to_datetime(frame[column]).astype("datetime64[ns]")
    return frame


# Columns of moments, in the tables that have them.
TIMES = ["opened", "closed", "never"]


def times_table():
    """Moments and dates, some missing, some alike."""
    rows = 60
    days = [f"2024-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(rows)]
    return {
        "no": list(range(rows)),
        "opened": [None if i % 9 == 0 else day for i, day in enumerate(days)],
        "closed": [None if i % 7 == 0 else f"2024-{1 + i % 12:02}-{1 + i % 20:02} {i % 24:02}:{i % 60:02}:00" for i in range(rows)],
        "never": [None] * rows,
    }


def tables(hotpass, data, folder):
    """Yields name, frame to write, and whether it is read as text, of every table."""
    edge = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in edge_table().items()})
    yield "edge", edge, False
    yield "edge_as_text", edge, True
    yield "single_row", edge.head(1), False
    yield "times", pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in times_table().items()}), False
    yield "sqlite", edge.drop(columns=["empty"]), True
    generated = data / "generated"
    for name in ["orgs_20k", "people_50k"]:
        file = generated / f"{name}.parquet"
        if file.is_file():
            frame = pd.read_parquet(file)
            yield name, frame, True
            yield f"{name}_numbers", frame.select_dtypes("number"), False
    for book, sheets in workbook_sheets(hotpass, generated / "hotpass_like", folder):
        for sheet, frame in sheets:
            yield f"{book}#{sheet}", frame, True


def workbook_sheets(hotpass, source, folder):
    """Has Hotpass find the tables of the workbooks; pandas reads the same cells as text."""
    import openpyxl

    for book in sorted(source.glob("*.xlsx")) if source.is_dir() else []:
        found = json.loads(subprocess.run([hotpass, "inspect", "--format", "json", str(book)], check=True, capture_output=True).stdout)
        sheets = []
        workbook = openpyxl.load_workbook(book, data_only=True, read_only=True)
        for table in iter_tables(found):
            sheet, header = table["sheet"], table["header_row"]
            rows = list(workbook[sheet].iter_rows(min_row=header, values_only=True))
            names = [str(name).strip() if name is not None else f"column_{at + 1}" for at, name in enumerate(rows[0])]
            names = [name if names.index(name) == at else f"{name}_{at + 1}" for at, name in enumerate(names)]
            cells = [[None if cell is None or str(cell).strip() == "" else str(cell) for cell in row] for row in rows[1:]]
            cells = [row for row in cells if any(cell is not None for cell in row)]
            if len(cells) > 5:
                sheets.append((sheet, pd.DataFrame(cells, columns=names, dtype=object)))
        yield book.stem, sheets


def iter_tables(found):
    """Walks the answer of `hotpass inspect` for sheets with a header."""
    stack = [found]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if item.get("sheet") and isinstance(item.get("header_row"), int):
                yield item
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


# --------------------------------------------------------------------------------------------------------------- suites


def edge_suite():
    """Every expectation, over the awkward columns, in forms that hold and forms that do not."""
    for column in edge_table():
        yield "expect_column_to_exist", {"column": column}
        yield "expect_column_values_to_not_be_null", {"column": column}
        yield "expect_column_values_to_not_be_null", {"column": column, "mostly": 0.8}
        yield "expect_column_values_to_be_null", {"column": column}
        yield "expect_column_values_to_be_null", {"column": column, "mostly": 0.1}
        yield "expect_column_values_to_be_unique", {"column": column}
        yield "expect_column_values_to_be_unique", {"column": column, "mostly": 0.5}
        yield "expect_column_unique_value_count_to_be_between", {"column": column, "min_value": 3, "max_value": 50}
        yield "expect_column_proportion_of_unique_values_to_be_between", {"column": column, "min_value": 0.01, "max_value": 0.5}
        yield "expect_column_proportion_of_non_null_values_to_be_between", {"column": column, "min_value": 0.85, "max_value": 0.99}
        yield "expect_column_values_to_be_of_type", {"column": column, "type_": "str"}
        yield "expect_column_values_to_be_of_type", {"column": column, "type_": "int64"}
        yield "expect_column_values_to_be_in_type_list", {"column": column, "type_list": ["float64", "str"]}
        yield "expect_column_type_to_be", {"column": column, "type_": "int64"}
        yield "expect_column_type_to_be", {"column": column, "type_": "str"}
        yield "expect_column_type_to_be", {"column": column, "type_": "float64"}
    yield "expect_column_to_exist", {"column": "absent"}
    yield "expect_column_to_exist", {"column": "id", "column_index": 0}
    yield "expect_column_to_exist", {"column": "id", "column_index": 3}

    for column in ["tie", "mode", "word", "mixed", "code", "empty", "one_value"]:
        for values in [["x", "y"], ["x", "y", "z"], ["A1", "12", "ß"]]:
            yield "expect_column_values_to_be_in_set", {"column": column, "value_set": values}
            yield "expect_column_values_to_not_be_in_set", {"column": column, "value_set": values}
            yield "expect_column_distinct_values_to_be_in_set", {"column": column, "value_set": values}
            yield "expect_column_distinct_values_to_contain_set", {"column": column, "value_set": values}
            yield "expect_column_distinct_values_to_equal_set", {"column": column, "value_set": values}
        yield "expect_column_values_to_be_in_set", {"column": column, "value_set": ["x", "y"], "mostly": 0.6}
        yield "expect_column_most_common_value_to_be_in_set", {"column": column, "value_set": ["x"]}
        yield "expect_column_most_common_value_to_be_in_set", {"column": column, "value_set": ["x"], "ties_okay": True}
        yield "expect_column_value_lengths_to_be_between", {"column": column, "min_value": 2, "max_value": 5}
        yield "expect_column_value_lengths_to_be_between", {"column": column, "min_value": 2}
        yield "expect_column_value_lengths_to_be_between", {"column": column, "max_value": 2, "strict_max": True}
        yield "expect_column_value_lengths_to_be_between", {"column": column, "min_value": 1, "strict_min": True}
        yield "expect_column_value_lengths_to_equal", {"column": column, "value": 2}
        yield "expect_column_value_lengths_to_equal", {"column": column, "value": 1, "mostly": 0.4}
        for regex in ["^[A-Z]\\d+$", "\\d", "^.$", "^\\w+$", "[éß]", "(?i)^a", "^$"]:
            yield "expect_column_values_to_match_regex", {"column": column, "regex": regex}
            yield "expect_column_values_to_not_match_regex", {"column": column, "regex": regex}
        yield "expect_column_values_to_match_regex", {"column": column, "regex": "\\d", "mostly": 0.5}
        yield "expect_column_values_to_match_regex_list", {"column": column, "regex_list": ["^[A-Z]", "\\d$"], "match_on": "any"}
        yield "expect_column_values_to_match_regex_list", {"column": column, "regex_list": ["^[A-Z]", "\\d$"], "match_on": "all"}
        yield "expect_column_values_to_not_match_regex_list", {"column": column, "regex_list": ["^[A-Z]", "x"]}
        yield "expect_column_values_to_be_json_parseable", {"column": column}
        yield "expect_column_values_to_be_dateutil_parseable", {"column": column}
        yield "expect_column_values_to_match_strftime_format", {"column": column, "strftime_format": "%Y-%m-%d"}
    yield "expect_column_values_to_match_strftime_format", {"column": "day", "strftime_format": "%Y-%m-%d"}
    yield "expect_column_values_to_match_strftime_format", {"column": "day", "strftime_format": "%d/%m/%Y"}
    yield "expect_column_values_to_match_strftime_format", {"column": "day", "strftime_format": "%Y%m%d", "mostly": 0.1}
    yield "expect_column_values_to_be_dateutil_parseable", {"column": "day"}
    yield "expect_column_values_to_be_json_parseable", {"column": "json"}

    for column in ["id", "doubled", "constant", "whole", "sparse", "tiny", "left", "right", "empty"]:
        yield "expect_column_values_to_be_between", {"column": column, "min_value": 0, "max_value": 10}
        yield "expect_column_values_to_be_between", {"column": column, "min_value": 0}
        yield "expect_column_values_to_be_between", {"column": column, "max_value": 5, "strict_max": True}
        yield "expect_column_values_to_be_between", {"column": column, "min_value": 0, "strict_min": True, "mostly": 0.9}
        yield "expect_column_values_to_be_in_set", {"column": column, "value_set": [0, 1, 2, 5, 0.5]}
        yield "expect_column_values_to_not_be_in_set", {"column": column, "value_set": [0, 5]}
        yield "expect_column_values_to_be_increasing", {"column": column}
        yield "expect_column_values_to_be_increasing", {"column": column, "strictly": True}
        yield "expect_column_values_to_be_decreasing", {"column": column}
        yield "expect_column_value_z_scores_to_be_less_than", {"column": column, "threshold": 1.5, "double_sided": True}
        yield "expect_column_value_z_scores_to_be_less_than", {"column": column, "threshold": 1, "double_sided": False}
        for figure in ["min", "max", "sum", "mean", "median", "stdev"]:
            name = f"expect_column_{figure}_to_be_between"
            yield name, {"column": column, "min_value": 0, "max_value": 100}
            yield name, {"column": column, "min_value": 5}
            yield name, {"column": column, "max_value": 5, "strict_max": True}
        yield "expect_column_quantile_values_to_be_between", {
            "column": column,
            "quantile_ranges": {"quantiles": [0.05, 0.25, 0.5, 0.75, 0.95], "value_ranges": [[-50, 20], [0, None], [2, 80], [None, 90], [5, 240]]},
        }
        yield "expect_column_quantile_values_to_be_between", {
            "column": column,
            "quantile_ranges": {"quantiles": [0.1, 0.333, 0.9], "value_ranges": [[0, 1], [0, 100], [0, 300]]},
            "allow_relative_error": "linear",
        }
        yield "expect_column_distinct_values_to_contain_set", {"column": column, "value_set": [1, 2]}
        yield "expect_column_most_common_value_to_be_in_set", {"column": column, "value_set": [0, 5]}
        yield "expect_column_most_common_value_to_be_in_set", {"column": column, "value_set": [0, 5], "ties_okay": True}
    yield "expect_column_kl_divergence_to_be_less_than", {"column": "tie", "partition_object": {"values": ["x", "y", "z"], "weights": [0.3, 0.3, 0.4]}, "threshold": 0.05}
    yield "expect_column_kl_divergence_to_be_less_than", {"column": "tie", "partition_object": {"values": ["x", "y"], "weights": [0.5, 0.5]}, "threshold": 0.05}
    yield "expect_column_kl_divergence_to_be_less_than", {"column": "mode", "partition_object": {"values": ["x", "y"], "weights": [0.6, 0.4]}, "threshold": 0.01}
    yield "expect_column_kl_divergence_to_be_less_than", {"column": "whole", "partition_object": {"bins": [-50, -25, 0, 25, 51], "weights": [0.25, 0.25, 0.25, 0.25]}, "threshold": 0.1}
    yield "expect_column_values_to_be_between", {"column": "word", "min_value": "A", "max_value": "z"}
    yield "expect_column_values_to_be_between", {"column": "word", "min_value": 1, "max_value": 2}
    yield "expect_column_values_to_be_between", {"column": "mixed", "min_value": 0, "max_value": 10}
    yield "expect_column_mean_to_be_between", {"column": "mixed", "min_value": 0, "max_value": 10}
    yield "expect_column_values_to_match_regex", {"column": "whole", "regex": "^-"}
    yield "expect_column_value_lengths_to_be_between", {"column": "whole", "min_value": 1, "max_value": 2}
    yield "expect_column_values_to_be_in_set", {"column": "truth", "value_set": [True]}
    yield "expect_column_values_to_be_in_set", {"column": "truth", "value_set": [1]}

    pairs = [("left", "right"), ("spouse", "mate"), ("id", "doubled"), ("constant", "constant"), ("empty", "left")]
    ways = [{}, {"ignore_row_if": "both_values_are_missing"}, {"ignore_row_if": "either_value_is_missing"}, {"ignore_row_if": "neither"}]
    for a, b in pairs:
        for way in ways:
            yield "expect_column_pair_values_to_be_equal", {"column_A": a, "column_B": b, **way}
            yield "expect_column_pair_values_to_be_in_set", {"column_A": a, "column_B": b, "value_pairs_set": [["ann", "ann"], ["bob", "cat"], [1, 1], [5, 5]], **way}
            if a not in ("spouse", "empty"):
                yield "expect_column_pair_values_a_to_be_greater_than_b", {"column_A": a, "column_B": b, **way}
                yield "expect_column_pair_values_a_to_be_greater_than_b", {"column_A": a, "column_B": b, "or_equal": True, **way}
        yield "expect_column_pair_values_to_be_equal", {"column_A": a, "column_B": b, "mostly": 0.2}
    lists = [["left", "right"], ["spouse", "mate"], ["left", "right", "whole"], ["tie", "mode", "code"], ["id", "doubled"], ["empty", "one_value"]]
    ways = [{}, {"ignore_row_if": "all_values_are_missing"}, {"ignore_row_if": "any_value_is_missing"}, {"ignore_row_if": "never"}]
    for columns in lists:
        for way in ways:
            yield "expect_compound_columns_to_be_unique", {"column_list": columns, **way}
            yield "expect_select_column_values_to_be_unique_within_record", {"column_list": columns, **way}
            yield "expect_multicolumn_values_to_be_unique", {"column_list": columns, **way}
            yield "expect_multicolumn_values_to_be_equal", {"column_list": columns, **way}
            yield "expect_multicolumn_values_to_be_equal", {"column_list": columns, "mostly": 0.1, **way}
            if columns[0] in ("left", "id"):
                yield "expect_multicolumn_sum_to_equal", {"column_list": columns, "sum_total": 6, **way}
        yield "expect_compound_columns_to_be_unique", {"column_list": columns, "mostly": 0.1}

    names = list(edge_table())
    yield "expect_table_row_count_to_equal", {"value": 240}
    yield "expect_table_row_count_to_equal", {"value": 241}
    yield "expect_table_row_count_to_be_between", {"min_value": 1, "max_value": 240}
    yield "expect_table_row_count_to_be_between", {"min_value": 241}
    yield "expect_table_row_count_to_be_between", {"min_value": 240, "strict_min": True}
    yield "expect_table_column_count_to_equal", {"value": len(names)}
    yield "expect_table_column_count_to_be_between", {"min_value": 1, "max_value": 5}
    yield "expect_table_columns_to_match_ordered_list", {"column_list": names}
    yield "expect_table_columns_to_match_ordered_list", {"column_list": names[::-1]}
    yield "expect_table_columns_to_match_ordered_list", {"column_list": names[:-1]}
    yield "expect_table_columns_to_match_set", {"column_set": names[::-1]}
    yield "expect_table_columns_to_match_set", {"column_set": names[:3]}
    yield "expect_table_columns_to_match_set", {"column_set": names[:3], "exact_match": False}
    yield "expect_table_columns_to_match_set", {"column_set": names + ["absent"], "exact_match": False}
    for condition in ['tie=="x"', "whole > 10", 'tie=="x" and whole > 0']:
        yield "expect_column_values_to_not_be_null", {"column": "sparse", "row_condition": condition, "condition_parser": "pandas"}
        yield "expect_column_values_to_be_between", {"column": "whole", "min_value": 0, "row_condition": condition, "condition_parser": "pandas"}
        yield "expect_column_mean_to_be_between", {"column": "tiny", "min_value": 0.1, "max_value": 0.5, "row_condition": condition, "condition_parser": "pandas"}


def times_suite():
    """Moments and dates: bounds, order, sets, figures, and what only text can be asked."""
    for column in TIMES:
        yield "expect_column_values_to_not_be_null", {"column": column}
        yield "expect_column_values_to_not_be_null", {"column": column, "mostly": 0.8}
        yield "expect_column_values_to_be_null", {"column": column}
        yield "expect_column_values_to_be_unique", {"column": column}
        yield "expect_column_values_to_be_between", {"column": column, "min_value": "2024-02-01 00:00:00", "max_value": "2024-08-31 00:00:00"}
        yield "expect_column_values_to_be_between", {"column": column, "min_value": "2024-02-02 00:00:00", "strict_min": True, "mostly": 0.5}
        yield "expect_column_values_to_be_between", {"column": column, "min_value": "2024-02-02"}
        yield "expect_column_values_to_be_between", {"column": column, "max_value": "2024-06-05 10:30:00", "strict_max": True}
        yield "expect_column_values_to_be_in_set", {"column": column, "value_set": ["2024-01-01 00:00:00", "2024-02-02 00:00:00", "2024-03-03 02:02:00"]}
        yield "expect_column_values_to_not_be_in_set", {"column": column, "value_set": ["2024-01-01", "2024-02-02"]}
        yield "expect_column_unique_value_count_to_be_between", {"column": column, "min_value": 10, "max_value": 70}
        yield "expect_column_proportion_of_unique_values_to_be_between", {"column": column, "min_value": 0.2, "max_value": 0.99}
        yield "expect_column_proportion_of_non_null_values_to_be_between", {"column": column, "min_value": 0.86, "max_value": 1}
        for figure in ["min", "max"]:
            yield f"expect_column_{figure}_to_be_between", {"column": column, "min_value": "2024-01-01 00:00:00", "max_value": "2024-12-31 00:00:00"}
            yield f"expect_column_{figure}_to_be_between", {"column": column, "min_value": "2024-03-01 00:00:00", "max_value": "2024-06-30 00:00:00"}
        yield "expect_column_values_to_match_strftime_format", {"column": column, "strftime_format": "%Y-%m-%d"}
        yield "expect_column_values_to_be_dateutil_parseable", {"column": column}
        yield "expect_column_values_to_be_of_type", {"column": column, "type_": "datetime64"}
        yield "expect_column_values_to_be_of_type", {"column": column, "type_": "int64"}
        yield "expect_column_type_to_be", {"column": column, "type_": "datetime64"}
    for way in [{}, {"ignore_row_if": "either_value_is_missing"}, {"ignore_row_if": "neither"}]:
        yield "expect_column_pair_values_to_be_equal", {"column_A": "opened", "column_B": "closed", **way}
        yield "expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "closed", "column_B": "opened", **way}
        yield "expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "closed", "column_B": "opened", "or_equal": True, **way}
    yield "expect_compound_columns_to_be_unique", {"column_list": ["opened", "closed"]}


def sqlite_suite():
    """What pandas cannot be asked: LIKE patterns."""
    for column in ["word", "code", "mixed", "one_value"]:
        for pattern in ["%1%", "A_", "%e", "_", "%", "12", "%\u00e9%", "N/A", "1_%"]:
            yield "expect_column_values_to_match_like_pattern", {"column": column, "like_pattern": pattern}
            yield "expect_column_values_to_not_match_like_pattern", {"column": column, "like_pattern": pattern}
        yield "expect_column_values_to_match_like_pattern", {"column": column, "like_pattern": "%1%", "mostly": 0.3}
        yield "expect_column_values_to_not_match_like_pattern", {"column": column, "like_pattern": "%1%", "mostly": 0.3}
        for patterns in [["A%", "%2"], ["%", "%1%"], ["x", "y"]]:
            yield "expect_column_values_to_match_like_pattern_list", {"column": column, "like_pattern_list": patterns, "match_on": "any"}
            yield "expect_column_values_to_match_like_pattern_list", {"column": column, "like_pattern_list": patterns, "match_on": "all"}
            yield "expect_column_values_to_not_match_like_pattern_list", {"column": column, "like_pattern_list": patterns}
            yield "expect_column_values_to_not_match_like_pattern_list", {"column": column, "like_pattern_list": patterns, "mostly": 0.4}


def single_row_suite(frame):
    """Figures of one value: a deviation that is not defined, quantiles that are all the same."""
    for column in frame.columns:
        yield "expect_column_values_to_be_unique", {"column": column}
        yield "expect_column_values_to_not_be_null", {"column": column}
        yield "expect_column_most_common_value_to_be_in_set", {"column": column, "value_set": ["x"]}
    for column in ["id", "whole", "tiny"]:
        for figure in ["min", "max", "sum", "mean", "median", "stdev"]:
            yield f"expect_column_{figure}_to_be_between", {"column": column, "min_value": -100, "max_value": 100}
        yield "expect_column_quantile_values_to_be_between", {"column": column, "quantile_ranges": {"quantiles": [0.1, 0.9], "value_ranges": [[-100, 100], [-100, 100]]}}
        yield "expect_column_value_z_scores_to_be_less_than", {"column": column, "threshold": 1, "double_sided": True}


EMAIL = r"^[A-Za-z0-9._%+'-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$"


def corpus_suite(frame):
    """A steward's suite over a table of people or organisations, by the columns there are."""
    for column in frame.columns:
        yield "expect_column_values_to_not_be_null", {"column": column}
        yield "expect_column_values_to_not_be_null", {"column": column, "mostly": 0.75}
        yield "expect_column_values_to_be_unique", {"column": column}
        yield "expect_column_unique_value_count_to_be_between", {"column": column, "min_value": 10, "max_value": 12000}
        yield "expect_column_proportion_of_unique_values_to_be_between", {"column": column, "min_value": 0.2}
        if frame[column].dtype == object:
            yield "expect_column_value_lengths_to_be_between", {"column": column, "min_value": 3, "max_value": 40}
            yield "expect_column_values_to_match_regex", {"column": column, "regex": EMAIL, "mostly": 0.85}
            yield "expect_column_values_to_match_regex", {"column": column, "regex": r"^\+?[0-9 ()/-]{6,}$"}
            yield "expect_column_values_to_not_match_regex", {"column": column, "regex": r"\s$|^\s|\s\s"}
            yield "expect_column_values_to_not_match_regex", {"column": column, "regex": r"[^\x00-\x7F]"}
            yield "expect_column_values_to_match_strftime_format", {"column": column, "strftime_format": "%Y-%m-%d"}
            yield "expect_column_values_to_be_in_set", {"column": column, "value_set": ["crm", "survey", "Gauteng", "Western Cape", "Active", "Cape Town"]}
            yield "expect_column_most_common_value_to_be_in_set", {"column": column, "value_set": ["crm", "Gauteng", "Active"]}
        else:
            yield "expect_column_values_to_be_between", {"column": column, "min_value": 0, "max_value": 9000}
            yield "expect_column_values_to_be_increasing", {"column": column}
            for figure in ["min", "max", "sum", "mean", "median", "stdev"]:
                yield f"expect_column_{figure}_to_be_between", {"column": column, "min_value": 0, "max_value": 9000}
            yield "expect_column_quantile_values_to_be_between", {
                "column": column,
                "quantile_ranges": {"quantiles": [0.01, 0.5, 0.99], "value_ranges": [[0, 500], [2000, 30000], [None, 40000]]},
            }
            yield "expect_column_value_z_scores_to_be_less_than", {"column": column, "threshold": 1.7, "double_sided": True}
    columns = list(frame.columns)
    for a, b in zip(columns, columns[1:]):
        yield "expect_compound_columns_to_be_unique", {"column_list": [a, b]}
        yield "expect_column_pair_values_to_be_equal", {"column_A": a, "column_B": b, "ignore_row_if": "either_value_is_missing"}
    yield "expect_compound_columns_to_be_unique", {"column_list": columns, "ignore_row_if": "never"}
    yield "expect_table_row_count_to_be_between", {"min_value": 100, "max_value": 20000}
    yield "expect_table_columns_to_match_ordered_list", {"column_list": columns}


def suite_of(name, frame):
    if name == "edge":
        return list(edge_suite())
    if name == "edge_as_text":
        # pandas adds texts end to end and then tries for hours to read the result as one number.
        figures = ("_sum_", "_mean_", "_median_", "_stdev_", "_quantile_", "_z_score", "_kl_")
        return [item for item in edge_suite() if not any(figure in item[0] for figure in figures)]
    if name == "single_row":
        return list(single_row_suite(frame))
    if name == "times":
        return list(times_suite())
    if name == "sqlite":
        return list(sqlite_suite())
    return list(corpus_suite(frame))


# ----------------------------------------------------------------------------------------------------------- evaluation


def accepted(expectations):
    """Leaves out what Great Expectations refuses to build, and what stands there twice."""
    kept, refused = [], []
    for kind, arguments in expectations:
        try:
            ExpectationConfiguration(type=kind, kwargs=arguments).to_domain_obj()
        except Exception as error:  # each class of expectation raises its own
            refused.append(f"{kind} {json.dumps(arguments)}: {str(error).splitlines()[-1].strip()}")
            continue
        if (kind, arguments) not in kept:
            kept.append((kind, arguments))
    return kept, refused


def sqlite_batch(context, name, frame, folder):
    """Puts the table into SQLite, where LIKE tells capital letters from small ones as in most databases."""
    import sqlite3

    import sqlalchemy

    path = folder / f"{name}.db"
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    frame.to_sql(name, connection, index=False)
    connection.close()
    sqlalchemy.event.listen(sqlalchemy.engine.Engine, "connect", lambda raw, _: raw.execute("PRAGMA case_sensitive_like = ON"))
    source = context.data_sources.add_sqlite(f"{name}_db", connection_string=f"sqlite:///{path}")
    return source.add_table_asset(name, table_name=name).add_batch_definition_whole_table(name).get_batch()


def by_great_expectations(context, name, frame, expectations, folder):
    """Returns the suite as Great Expectations writes it, and its results in the suite's order."""
    built = [ExpectationConfiguration(type=kind, kwargs=arguments, meta={"at": at}).to_domain_obj() for at, (kind, arguments) in enumerate(expectations)]
    suite = ExpectationSuite(name=name, expectations=built)
    suite = context.suites.add(suite)
    if name == "sqlite":
        batch = sqlite_batch(context, name, frame, folder)
    else:
        asset = context.data_sources.add_pandas(name).add_dataframe_asset(name)
        batch = asset.add_batch_definition_whole_dataframe(name).get_batch(batch_parameters={"dataframe": frame})
    quiet, sys.stderr = sys.stderr, io.StringIO()
    try:
        # Not through a validation definition, which stores results, and fails to where one holds a truth value of numpy.
        outcome = batch.validate(suite, result_format={"result_format": "SUMMARY"})
    finally:
        sys.stderr = quiet
    results = [None] * len(expectations)
    for result in outcome.results:
        results[result.expectation_config.meta["at"]] = {
            "success": bool(result.success),
            "result": plain(result.result),
            "exception_info": plain(result.exception_info),
        }
    return json.loads(json.dumps(suite.to_json_dict())), results


def plain(value):
    """Returns what JSON would hold: numpy's numbers and truth values become Python's."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    if value is pd.NaT or isinstance(value, pd.Timestamp):
        return value
    return value.tolist() if hasattr(value, "tolist") else value


def by_hotpass(evaluate, folder, name, table, text, suite, *more):
    """Returns the results of Hotpass; the suite that it writes again must be loaded by Great Expectations."""
    file, again = folder / f"{name}.suite.json", folder / f"{name}.again.json"
    file.write_text(json.dumps(suite, ensure_ascii=False), encoding="utf-8")
    times = ["--times", ",".join(TIMES)] if name == "times" else []
    ran = subprocess.run([evaluate, str(file), str(table), "--show-values", "--write-suite", str(again), *times, *more] + ["--text"] * text, capture_output=True, text=True)
    if not ran.stdout:
        raise SystemExit(f"{evaluate} said nothing about `{name}`:\n{ran.stderr}")
    result = json.loads(ran.stdout)
    (folder / f"{name}.result.json").write_text(ran.stdout, encoding="utf-8")
    return result["results"]


# ----------------------------------------------------------------------------------------------------------- comparison

COUNTS = ["element_count", "unexpected_count", "missing_count"]
# A count may be a float in one and an integer in the other, and sums differ in the last digits by the order of adding.
TOLERANCE = 1e-9


def raised(result):
    """Whether the expectation could not be checked."""
    info = result.get("exception_info") or {}
    if "raised_exception" in info:
        return bool(info["raised_exception"])
    return any(bool(item.get("raised_exception")) for item in info.values() if isinstance(item, dict))


def message(result):
    info = result.get("exception_info") or {}
    infos = [info] if "raised_exception" in info else [item for item in info.values() if isinstance(item, dict)]
    return "; ".join(str(item.get("exception_message")) for item in infos)[:160]


def close(a, b):
    # JSON has no number that is none.
    if b is None and (a is pd.NaT or isinstance(a, float) and a != a):
        return True
    if isinstance(a, pd.Timestamp):
        return str(a) == b
    if isinstance(a, bool) or isinstance(b, bool):
        return a == b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return a == b or abs(a - b) <= TOLERANCE * max(1.0, abs(a), abs(b)) or (a != a and b != b)
    if isinstance(a, dict) and isinstance(b, dict):
        return set(a) == set(b) and all(close(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(close(x, y) for x, y in zip(a, b))
    return a == b


def observed(kind, value):
    """What a figure is compared by; lists of distinct values are compared by verdict, since Hotpass does not tell values."""
    if "distinct_values" in kind or "most_common" in kind or kind.endswith(("_of_type", "_type_to_be")) or "type_list" in kind or "columns_to_match" in kind:
        return None
    return value


MEANT = {
    "types": "The type of a column of text is told for the column, as Great Expectations does for databases; in pandas it counts "
    "values of object columns instead, and takes its new text type for no member of a list",
    "dates": "A bound that is a date without a time of day is compared with a column of moments; Great Expectations raises an error",
    "moments": "Texts of a set are read as moments for a column of moments; Great Expectations finds no text equal to a moment",
}


def meant(kind, arguments, frame, theirs, ours):
    """Returns why a difference is meant, if it is."""
    column = arguments.get("column")
    of_type = kind in ("expect_column_values_to_be_of_type", "expect_column_values_to_be_in_type_list")
    if of_type and column in frame and not pd.api.types.is_numeric_dtype(frame[column]) and not raised(ours):
        present = frame[column].notna().any()
        is_list = "type_list" in arguments
        if theirs["success"] == ours["success"] or not present or is_list and str(frame[column].dtype) == "str":
            return "types"
    if kind == "expect_column_type_to_be" and column in frame and frame[column].dtype == object:
        return "types"
    bounds = [arguments.get(name) for name in ("min_value", "max_value")]
    if column in TIMES and raised(theirs) and any(isinstance(bound, str) and len(bound) == 10 for bound in bounds):
        return "dates"
    if column in TIMES and "value_set" in arguments and theirs["result"].get("unexpected_count") == frame[column].notna().sum():
        return "moments"
    return None


def differences(kind, theirs, ours):
    found = []
    if bool(theirs["success"]) != bool(ours["success"]):
        found.append(f"verdict {theirs['success']} | {ours['success']}")
    if raised(theirs) != raised(ours):
        found.append(f"raised {raised(theirs)} | {raised(ours)}: {message(theirs) or message(ours)}")
    if raised(theirs) or raised(ours):
        return found
    a, b = theirs.get("result") or {}, ours.get("result") or {}
    for count in COUNTS:
        if count in a and not close(a[count], b.get(count)):
            found.append(f"{count} {a[count]} | {b.get(count)}")
    x, y = observed(kind, a.get("observed_value")), observed(kind, b.get("observed_value"))
    if x is not None and not close(x, y):
        found.append(f"observed {x} | {y}")
    return found


def load_by_great_expectations(folder, text):
    """Loads a suite as Great Expectations loads its own files, and builds every expectation of it."""
    from great_expectations.core.expectation_suite import expectationSuiteSchema

    loaded = expectationSuiteSchema.load(json.loads(text))
    suite = ExpectationSuite(**loaded)
    return len(suite.expectations)


def load_results(text):
    """Loads a result as Great Expectations loads those of its stores."""
    from great_expectations.core.expectation_validation_result import expectationSuiteValidationResultSchema

    return expectationSuiteValidationResultSchema.load(json.loads(text))


def compare_documents(hotpass, folder, wrong):
    """Loads what Hotpass writes: suites that were read and written again, suites of contracts, results."""
    loaded = {"suites written again": 0, "suites of contracts": 0, "results": 0}
    for path in sorted(folder.glob("*.again.json")):
        try:
            before = json.loads(path.with_name(path.name.replace(".again", ".suite")).read_text(encoding="utf-8"))
            count = load_by_great_expectations(folder, path.read_text(encoding="utf-8"))
            if count != len(before["expectations"]):
                raise ValueError(f"{count} expectations of {len(before['expectations'])}")
            loaded["suites written again"] += 1
        except Exception as error:
            wrong.append(f"suite {path.name}: {str(error)[:300]}")
    for path in sorted(folder.glob("*.result.json")):
        try:
            load_results(path.read_text(encoding="utf-8"))
            loaded["results"] += 1
        except Exception as error:
            wrong.append(f"result {path.name}: {str(error)[:300]}")
    listed = json.loads(subprocess.run([hotpass, "contracts", "list", "--format", "json"], check=True, capture_output=True).stdout)
    for contract in listed["contracts"]:
        text = subprocess.run([hotpass, "contracts", "emit", contract["name"], "--format", "great-expectations"], check=True, capture_output=True, text=True).stdout
        try:
            load_by_great_expectations(folder, text)
            loaded["suites of contracts"] += 1
        except Exception as error:
            wrong.append(f"suite of contract {contract['name']}: {str(error)[:300]}")
    return loaded


def compare_drift(evaluate, folder, wrong):
    """Holds Hotpass's measures of drift against numpy and scipy; they have no counterpart in Great Expectations."""
    import numpy as np
    from scipy import stats

    random = np.random.default_rng(7)
    before = pd.DataFrame({"amount": random.normal(50, 12, 4000).round(3), "group": random.choice(list("abcd"), 4000, p=[0.4, 0.3, 0.2, 0.1]), "sparse": np.where(random.random(4000) < 0.3, None, "v")})
    after = pd.DataFrame({"amount": random.normal(56, 15, 3000).round(3), "group": random.choice(list("abce"), 3000, p=[0.3, 0.3, 0.3, 0.1]), "sparse": np.where(random.random(3000) < 0.45, None, "v")})
    before.to_csv(folder / "drift_before.csv", index=False)
    after.to_csv(folder / "drift_after.csv", index=False)

    def psi(expected, actual):
        expected, actual = np.maximum(expected, 1e-4), np.maximum(actual, 1e-4)
        return float(np.sum((actual - expected) * np.log(actual / expected)))

    groups = sorted(set(before["group"]) | set(after["group"]))
    share = lambda frame: np.array([(frame["group"] == group).mean() for group in groups])
    edges = np.quantile(before["amount"], np.arange(0.1, 1, 0.1), method="nearest")
    binned = lambda frame: np.bincount(np.searchsorted(edges, frame["amount"], side="left"), minlength=10) / len(frame)
    fill = abs(after["sparse"].notna().mean() - before["sparse"].notna().mean())
    cases = [
        ("expect_column_ks_statistic_to_be_less_than", {"column": "amount", "threshold": 0.1}, stats.ks_2samp(before["amount"], after["amount"]).statistic, 2e-3),
        ("expect_column_psi_to_be_less_than", {"column": "group", "threshold": 0.1}, psi(share(before), share(after)), 1e-9),
        ("expect_column_psi_to_be_less_than", {"column": "amount", "threshold": 0.1}, psi(binned(before), binned(after)), 2e-2),
        ("expect_column_fill_to_be_within", {"column": "sparse", "tolerance": 0.1}, fill, 1e-9),
        ("expect_column_fill_to_be_within", {"column": "group", "tolerance": 0.1}, 0.0, 1e-9),
        ("expect_column_distinct_count_change_to_be_within", {"column": "group", "tolerance": 0.1}, 0.0, 1e-9),
        ("expect_column_distinct_count_change_to_be_within", {"column": "amount", "tolerance": 0.1}, abs(after["amount"].nunique() / before["amount"].nunique() - 1), 1e-9),
        ("expect_table_row_count_change_to_be_within", {"tolerance": 0.1}, 0.25, 1e-9),
        ("expect_table_row_count_change_to_be_within", {"tolerance": 0.3}, 0.25, 1e-9),
    ]
    suite = {"name": "drift", "meta": {}, "expectations": [{"type": kind, "kwargs": arguments, "meta": {}} for kind, arguments, _, _ in cases]}
    file = folder / "drift.json"
    file.write_text(json.dumps(suite), encoding="utf-8")
    ran = subprocess.run([evaluate, str(file), str(folder / "drift_after.csv"), "--baseline", str(folder / "drift_before.csv")], capture_output=True, text=True)
    if not ran.stdout:
        raise SystemExit(ran.stderr)
    lines = {}
    for (kind, arguments, wanted, tolerance), result in zip(cases, json.loads(ran.stdout)["results"]):
        limit = arguments.get("threshold", arguments.get("tolerance"))
        holds = bool(wanted < limit if "threshold" in arguments else wanted <= limit)
        value = result["result"].get("observed_value")
        value = measure(value)
        line = lines.setdefault(kind, [0, 0, 0, 0, 0, 0, 0])
        line[0] += 1
        line[1] += holds
        same = bool(result["success"]) == holds
        near = value is not None and bool(abs(value - wanted) <= tolerance)
        line[4] += same
        line[5] += near
        if not (same and near):
            wrong.append(f"drift {kind} {arguments}: {wanted:.6f} ({holds}) | {result['result']} ({result['success']})")
    return lines


def measure(value):
    """How far a table has moved, in either direction."""
    return abs(value) if isinstance(value, (int, float)) else None


def main():
    arguments = sys.argv[1:]
    report = None
    if "--report" in arguments:
        at = arguments.index("--report")
        report = Path(arguments[at + 1])
        del arguments[at : at + 2]
    evaluate, hotpass, data, folder = arguments[0], arguments[1], Path(arguments[2]), Path(arguments[3])
    only = set(arguments[4:])
    folder.mkdir(parents=True, exist_ok=True)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    # By expectation: checks, of those that hold, that could not be made, unexpected rows, same verdict, same counts, meant differences.
    by_kind, wrong, sizes, reasons = {}, [], [], {}
    for name, frame, text in tables(hotpass, data, folder):
        if only and name not in only:
            continue
        safe = "".join(c if c.isalnum() else "_" for c in name)
        table = folder / f"{safe}.csv"
        frame.to_csv(table, index=False)
        frame = read(table, text)
        expectations, refused = accepted(suite_of(name, frame))
        for kind in sorted({line.split()[0] for line in refused}):
            lines = [line for line in refused if line.split()[0] == kind]
            print(f"refused by Great Expectations: {len(lines)} × {lines[0][:200]}")
        suite, theirs = by_great_expectations(context, safe, frame, expectations, folder)
        ours = by_hotpass(evaluate, folder, safe, table, text, {**suite, "expectations": ordered(suite, len(expectations))})
        print(f"{name}: {len(frame)} rows, {len(frame.columns)} columns, {len(expectations)} expectations", flush=True)
        sizes.append((name, len(frame), len(frame.columns), len(expectations)))
        if len(ours) != len(expectations):
            raise SystemExit(f"{len(ours)} results for {len(expectations)} expectations")
        for (kind, given), their, our in zip(expectations, theirs, ours):
            found = differences(kind, their, our)
            reason = meant(kind, given, frame, their, our) if found else None
            if reason:
                reasons[reason] = reasons.get(reason, 0) + 1
                found = []
            line = by_kind.setdefault(kind, [0, 0, 0, 0, 0, 0, 0])
            line[0] += 1
            line[1] += bool(their["success"])
            line[2] += raised(their)
            line[3] += int((their.get("result") or {}).get("unexpected_count") or 0)
            line[4] += not reason and not any(part.startswith(("verdict", "raised")) for part in found)
            line[5] += not reason and not found
            line[6] += bool(reason)
            if found:
                wrong.append(f"{name} {kind} {json.dumps(given, ensure_ascii=False)}: {'; '.join(found)}")
    drift = {} if only else compare_drift(evaluate, folder, wrong)
    loaded = compare_documents(hotpass, folder, wrong)
    header = ["expectation", "checks", "hold", "cannot be checked", "unexpected rows", "same verdict", "same counts", "meant to differ"]
    totals = [sum(line[at] for line in by_kind.values()) for at in range(7)]
    print("\n" + " | ".join(header))
    for kind, line in sorted(by_kind.items()) + [("all", totals)] + sorted(drift.items()):
        print(f"{kind:<64}" + "".join(f"{number:>9}" for number in line))
    for what, count in loaded.items():
        print(f"loaded by Great Expectations: {count} {what}")
    for reason, count in reasons.items():
        print(f"meant: {count} × {MEANT[reason]}")
    for line in wrong:
        print(f"DIFFERS (Great Expectations | Hotpass) {line}")
    (folder / "table.json").write_text(json.dumps({"by_expectation": by_kind, "drift": drift, "meant": reasons, "differences": wrong}, indent=1, ensure_ascii=False))
    if report:
        report.write_text(markdown(header, by_kind, totals, drift, sizes, loaded, reasons, wrong), encoding="utf-8")
    sys.exit(1 if wrong else 0)


def markdown(header, by_kind, totals, drift, sizes, loaded, reasons, wrong):
    """Writes the figures of the run as a page."""
    import numpy
    import scipy

    rows = lambda lines: [f"| {' | '.join([f'`{name}`' if name.islower() and name != 'all' else name] + [f'{number:,}' for number in line])} |" for name, line in lines]
    lines = [
        "# Expectations beside Great Expectations",
        "",
        "The same suites on the same tables, through Great Expectations and through Hotpass: this page holds the figures of one run of",
        "`crates/hotpass-quality/tests/peers/compare_great_expectations.py`, which writes it. *Same verdict*: both say that it holds, that it",
        "does not, or that it cannot be checked. *Same counts*: rows, unexpected and missing rows, and the figure that was observed are equal too",
        "(to 9 digits; lists of distinct values and of columns, and names of types, by verdict alone). Checks that are meant to differ are in",
        "neither column.",
        "",
        f"Great Expectations {gx.__version__}, pandas {pd.__version__}. Of {totals[0]:,} checks {totals[5]:,} are the same, {totals[6]} are meant to differ, {len(wrong)} differ otherwise.",
        "",
        "| " + " | ".join(header) + " |",
        "| --- |" + " ---: |" * (len(header) - 1),
        *rows(sorted(by_kind.items()) + [("all", totals)]),
        "",
    ]
    for reason, count in reasons.items():
        lines += [f"Meant to differ, {count} times: {MEANT[reason][0].lower()}{MEANT[reason][1:]}.", ""]
    lines += [
        "LIKE patterns, which Great Expectations has for databases only, ran on SQLite with LIKE that tells capital letters from small ones.",
        "`unexpected_rows_expectation` is a query; Hotpass runs it with DataFusion, in builds with the feature `query`.",
        "",
        "## Drift",
        "",
        f"Great Expectations has no measures between two runs. These are held against numpy {numpy.__version__} and scipy {scipy.__version__} (`ks_2samp`), on 4,000 and 3,000",
        "rows; the statistics of numbers, which Hotpass takes from 1,001 quantiles, agree to 0.002 (Kolmogorov–Smirnov) and 0.02 (stability index).",
        "",
        "| expectation | checks | hold | same verdict | same measure |",
        "| --- | ---: | ---: | ---: | ---: |",
        *[f"| `{kind}` | {line[0]} | {line[1]} | {line[4]} | {line[5]} |" for kind, line in sorted(drift.items())],
        "",
        "## Documents",
        "",
        "Every suite was written by Great Expectations and read by Hotpass. What Hotpass writes was loaded by Great Expectations: "
        + ", ".join(f"{count} {what}" for what, count in loaded.items())
        + ".",
        "",
        "## Tables",
        "",
        "| table | rows | columns | expectations |",
        "| --- | ---: | ---: | ---: |",
        *[f"| {name} | {rows_:,} | {columns} | {count} |" for name, rows_, columns, count in sizes],
        "",
    ]
    return "\n".join(lines)


def ordered(suite, count):
    """Great Expectations may reorder a suite; the positions in `meta` say how it was."""
    listed = sorted(suite["expectations"], key=lambda item: item["meta"]["at"])
    positions = [item["meta"]["at"] for item in listed]
    if positions != list(range(count)):
        raise SystemExit(f"Great Expectations dropped expectations of the suite: {sorted(set(range(count)) - set(positions))}, {positions[:9]}")
    return listed


if __name__ == "__main__":
    main()
