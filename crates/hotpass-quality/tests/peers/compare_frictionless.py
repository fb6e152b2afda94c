"""Checks the same tables against the same contracts with frictionless and with Hotpass, and compares them error by error.

Usage: compare_frictionless.py HOTPASS DATA FOLDER [--report FILE]

HOTPASS is the program, DATA the folder of test data (the tables made here are checked without it), FOLDER takes tables and
schemas. Three questions are asked:

- Contracts that Hotpass writes as Table Schema, frictionless reads: does it find the same errors, by row, column and kind?
- Schemas that frictionless infers (`describe`), Hotpass reads: the same again, on files that keep them and on broken copies.
- Contracts that Hotpass writes as JSON Schema: are they schemas of 2020-12, and does `jsonschema` take the same rows?

`--report` writes the figures of the run as a page. Exit code 1 when anything differs that is not named in `DELIBERATE`.
"""

import csv
import json
import os
import random
import subprocess
import sys
import warnings
from collections import Counter
from pathlib import Path

warnings.simplefilter("ignore")

import frictionless  # noqa: E402
import jsonschema  # noqa: E402
from frictionless import Checklist, Dialect, Package, Resource, Schema, system  # noqa: E402
from frictionless.formats import CsvControl  # noqa: E402

# Where the two differ on purpose, and why; counted apart.
DELIBERATE = {
    "blank-row": "Hotpass passes over rows without any value, as spreadsheets are full of them",
    "cells": "Hotpass tells rows with too few or too many cells as diagnostics of the file, and reads absent cells as no value",
    "blank-text": "Text of nothing but white space is no value to Hotpass",
    "kind": "Durations, places, lists and objects have no type in a contract, which is told when the schema is read; telephone numbers have none in a Table Schema",
}

# --------------------------------------------------------------------------------------------------------------- tables

INTEGERS = ["1", "-7", "+0", "007", " 12 ", "1_000", "1.0", "1,000", "x", "1e3", "", "99999999999999999999999", "-", "0x10", "--1", "1 000", "12", "12", "- 3", "5%", "R 5", "nan"]
NUMBERS = ["1", "1.50", ".5", "5.", "1e3", "-1E-3", "inf", "-Infinity", "nan", " 2 ", "1,5", "R 5", "1 000", "", "1.5", "1_0.5", "0.1", "0.10", "1e400", "+3", "--3", "1.2.3"]
BOOLEANS = ["true", "True", "TRUE", "1", "false", "False", "FALSE", "0", "yes", "tRUE", " true", "2", "", "t", "no", "Y"]
DATES = ["2025-01-31", "2025-1-5", "2025-02-30", "31/01/2025", "25-01-31", "2025-01-31T00:00:00", "", "2024-02-29", "2023-02-29", "20250131", "2025-13-01", "0001-01-01", "10000-01-01", "2025-01-31 ", "1/2/2025", "31/13/2025"]
MOMENTS = ["2025-01-31T10:00:00", "2025-01-31 10:00:00", "2025-01-31 10:00:00.5", "2025-01-31T10:00:00Z", "2025-01-31T10:00:00+02:00", "2025-01-31", "2025-01-31T10:00", "2025-01-31T25:00:00", "2025-01-31T10:00:00+2", "", "31/01/2025 10:00", "2025-02-30T10:00:00", "2025-01-31T10:00:60"]
TIMES = ["10:00:00", "10:00:00.25", "10:00:00Z", "10:00", "24:00:01", "x", "", "9:05:07", "23:59:59", "10.00.00"]
TEXTS = ["", "A1", "B22", "a1", "Ünïcode", "日本語", "é", "e\u0301", "a b", "'quoted'", 'dou"ble', "comma, here", "A1", "long enough to pass any limit", "A", "AB", "ABC", "B", "x\ty", "0", "n/a", "-", " "]
EMAILS = ["info@acacia.example", "a.b+c@d-e.example.org", "a@b", "a b@c.de", "a@b@c.de", "@b.co", "a@-b.co", "", "info@acacia", "INFO@ACACIA.CO.ZA", "a..b@c.de", "a@b.c", "a@b.co.", "ü@b.co", "a@[127.0.0.1]", "a_b@c.co", "a@b_c.co", "\"a b\"@c.co"]
URIS = ["http://a", "mailto:x", "www.a.b", "a b:c", ":x", "", "https://acacia.example/x?y=z#w", "urn:isbn:1", "//x/y", "http://[::1]/", "http://a b", "1http://x", "h:"]
UUIDS = ["2bc1c94f-0deb-43e9-92a1-4775189ec9f8", "2BC1C94F-0DEB-43E9-92A1-4775189EC9F8", "2bc1c94f", "zbc1c94f-0deb-43e9-92a1-4775189ec9f8", "2bc1c94f0deb43e992a14775189ec9f8", "", "{2bc1c94f-0deb-43e9-92a1-4775189ec9f8}", "2bc1c94f-0deb-43e9-92a1-4775189ec9f8 ", "00000000-0000-0000-0000-000000000000"]
BINARIES = ["aGVsbG8=", "hello", "a", "aGVs bG8=", "", "====", "aGVsbG8", "é"]


def limit(value, exclusive=False):
    return {"value": value, "exclusive": True} if exclusive else {"value": value}


def made_tables():
    """Yields name, contract and columns: every type, form and constraint, on values that hold and values that do not."""

    def table(name, values, **field):
        fields = [{"name": "key", "type": "integer"}, {"name": "value", **field}]
        yield name, {"name": name, "fields": fields}, {"key": [str(at) for at in range(len(values))], "value": values}

    kinds = {"integer": INTEGERS, "number": NUMBERS, "boolean": BOOLEANS, "date": DATES, "timestamp": MOMENTS, "time": TIMES, "text": TEXTS, "any": TEXTS}
    for kind, values in kinds.items():
        yield from table(f"{kind}_plain", values, type=kind)
        yield from table(f"{kind}_required", values, type=kind, nullable=False)
        yield from table(f"{kind}_unique", values + values[:4], type=kind, unique=True)
    for form, values in {"email": EMAILS, "uri": URIS, "uuid": UUIDS, "binary": BINARIES}.items():
        yield from table(f"text_{form}", values, type="text", format=form)
        yield from table(f"text_{form}_required", values, type="text", format=form, nullable=False)
    yield from table("date_pattern", DATES, type="date", format="%d/%m/%Y")
    yield from table("date_lenient", DATES, type="date", format="any")
    yield from table("timestamp_pattern", MOMENTS, type="timestamp", format="%d/%m/%Y %H:%M")
    yield from table("timestamp_lenient", MOMENTS, type="timestamp", format="any")
    yield from table("time_pattern", TIMES, type="time", format="%H.%M.%S")
    yield from table("time_lenient", TIMES, type="time", format="any")
    for exclusive in (False, True):
        name = "exclusive" if exclusive else "inclusive"
        yield from table(f"integer_{name}", INTEGERS, type="integer", minimum=limit("0", exclusive), maximum=limit("12", exclusive))
        yield from table(f"number_{name}", NUMBERS, type="number", minimum=limit("0.1", exclusive), maximum=limit("1.5", exclusive))
        yield from table(f"date_{name}", DATES, type="date", minimum=limit("2024-02-29", exclusive), maximum=limit("2025-01-31", exclusive))
        yield from table(f"timestamp_{name}", [m for m in MOMENTS if "Z" not in m and "+" not in m], type="timestamp", minimum=limit("2025-01-31T10:00:00", exclusive))
        yield from table(f"time_{name}", [t for t in TIMES if "Z" not in t], type="time", minimum=limit("10:00:00", exclusive))
    yield from table("integer_enumeration", INTEGERS, type="integer", enumeration=["1", "12", "7"])
    yield from table("number_enumeration", NUMBERS, type="number", enumeration=["1.5", "0.1", "1000"])
    yield from table("text_enumeration", TEXTS, type="text", enumeration=["A1", "é", "comma, here"])
    yield from table("boolean_enumeration", BOOLEANS, type="boolean", enumeration=["true"])
    yield from table("date_enumeration", DATES, type="date", enumeration=["2025-01-31"])
    yield from table("text_pattern", TEXTS, type="text", pattern="[A-Z]+[0-9]*")
    yield from table("text_pattern_choice", TEXTS, type="text", pattern="A|AB")
    yield from table("text_pattern_dot", TEXTS, type="text", pattern=".")
    yield from table("text_pattern_word", TEXTS, type="text", pattern=r"\w+")
    yield from table("text_pattern_digit", ["1", "x", "", "12", "1\t2"], type="text", pattern=r"\d+")
    yield from table("text_lengths", TEXTS, type="text", min_length=2, max_length=3)
    yield from table("text_lengths_pattern", TEXTS, type="text", min_length=2, pattern="[A-Z].*", nullable=False)
    yield from table("integer_decorated", INTEGERS, type="integer", decorated=True)
    yield from table("number_decorated", NUMBERS, type="number", decorated=True)
    signs = ["1", "1,5", "1.5", "1 000,50", "1 000.50", "R1 000,50 each", "", "1.000,5", "1,000.5", "-2,5", "x"]
    yield from table("number_comma", signs, type="number", decimal_char=",")
    yield from table("number_comma_group", signs, type="number", decimal_char=",", group_char=" ")
    yield from table("number_group", signs, type="number", group_char=",")
    yield from table("number_comma_group_decorated", signs, type="number", decimal_char=",", group_char=" ", decorated=True)
    yield from table("boolean_words", BOOLEANS, type="boolean", true_values=["yes", "Y"], false_values=["no", "0"])

    missing = {"key": ["0", "1", "-", "3", "n/a"], "value": ["", "-", "n/a", "N/A", "x"], "number": ["-", "1", "n/a", "", "N/A"]}
    fields = [{"name": "key", "type": "integer", "nullable": False}, {"name": "value", "nullable": False}, {"name": "number", "type": "number"}]
    yield "missing_values", {"name": "m", "fields": fields, "missing_values": ["", "-", "n/a"]}, missing

    a = ["1", "2", "2", "", "", "1", "x", "x", "02"]
    b = ["p", "q", "q", "r", "", "p", "z", "z", "q"]
    keyed = {"a": a, "b": b, "c": [str(at) for at in range(len(a))]}
    fields = [{"name": "a", "type": "integer"}, {"name": "b"}, {"name": "c"}]
    yield "primary_key_one", {"name": "k", "fields": fields, "primary_key": ["a"]}, keyed
    yield "primary_key_two", {"name": "k", "fields": fields, "primary_key": ["a", "b"]}, keyed
    yield "primary_key_all", {"name": "k", "fields": fields, "primary_key": ["a", "b", "c"]}, keyed
    yield "primary_key_and_unique", {"name": "k", "fields": [{**fields[0], "unique": True}, {"name": "b", "unique": True}, fields[2]], "primary_key": ["a"]}, keyed

    # Which columns there are: nothing too little or too much, and one, and both, and another order.
    data = {"a": ["1", "x"], "b": ["p", ""], "c": ["7", "8"]}
    ways = {"exact": (True, False, True), "equal": (True, False, False), "subset": (True, True, False), "superset": (False, False, False), "partial": (False, True, False)}
    for way, (required, extra, ordered) in ways.items():
        fields = [{"name": "a", "type": "integer", "required": required}, {"name": "b", "required": required}, {"name": "c", "type": "integer", "required": required}]
        contract = {"name": "columns", "fields": fields, "extra_columns": extra, "ordered": ordered}
        for shape, names in {"same": "abc", "fewer": "ab", "more": "abcd", "other_order": "bca", "fewer_and_more": "abd"}.items():
            yield f"columns_{way}_{shape}", contract, {name: data.get(name, ["m", "n"]) for name in names}

    # A key into this table; one into another follows in `foreign_tables`.
    links = {"id": ["1", "2", "3", "4"], "parent": ["", "1", "9", "x"], "name": ["r", "s", "t", "u"]}
    contract = {"name": "tree", "fields": [{"name": "id", "type": "integer"}, {"name": "parent", "type": "integer"}, {"name": "name"}],
                "foreign_keys": [{"fields": ["parent"], "reference": {"fields": ["id"]}}]}
    yield "foreign_key_itself", contract, links


def foreign_tables():
    towns = {"code": ["1", "2", "", "4"], "region": ["n", "s", "w", "e"]}
    clubs = {"no": ["1", "2", "3", "4", "5"], "town": ["1", "3", "", "x", "4"], "area": ["n", "s", "w", "n", "n"]}
    for name, fields, there in [("one", ["town"], ["code"]), ("two", ["town", "area"], ["code", "region"])]:
        contract = {"name": "clubs", "fields": [{"name": "no", "type": "integer"}, {"name": "town", "type": "integer"}, {"name": "area"}],
                    "foreign_keys": [{"fields": fields, "reference": {"dataset": "towns", "fields": there}}]}
        yield f"foreign_key_{name}", contract, clubs, towns


def write_table(path, columns):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values()))


# --------------------------------------------------------------------------------------------------------------- asking


class Hotpass:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def run(self, *arguments):
        environment = {**os.environ, "NO_COLOR": "1"}
        return subprocess.run([self.program, *map(str, arguments)], capture_output=True, text=True, cwd=self.folder, env=environment)

    def emit(self, contract, form):
        ran = self.run("contracts", "emit", contract, "--format", form)
        if ran.returncode:
            raise SystemExit(f"hotpass contracts emit {contract} --format {form}:\n{ran.stderr}")
        return json.loads(ran.stdout)

    def validate(self, table, contract, *more):
        """Returns the one table that was checked; nothing where it was read as none or several."""
        ran = self.run("contracts", "validate", table, "--contract", contract, "--format", "json", "--limit", 10**9, *more)
        if ran.returncode not in (0, 3):
            return None, ran.stderr.strip()
        tables = json.loads(ran.stdout)["tables"]
        return (tables[0], "") if len(tables) == 1 else (None, f"{len(tables)} tables")


KINDS = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum", "minLength": "min_length", "maxLength": "max_length", "enum": "enumeration"}
LABELS = {"missing-label": "missing_column", "extra-label": "extra_column", "incorrect-label": "column_order", "unmatched-header": "missing_column"}


def by_frictionless(resource):
    """Returns errors as (row, column, kind), what is wrong with the header, and what only frictionless tells."""
    with system.use_context(trusted=True):
        report = resource.validate(limit_errors=10**9)
    rows, header, apart, blank = Counter(), Counter(), Counter(), set()
    for error in report.flatten(["type", "rowNumber", "fieldName", "note"]):
        kind, row, column, note = error
        if kind == "type-error":
            rows[(row, column, "type")] += 1
        elif kind == "constraint-error":
            name = note.split('"')[1]
            rows[(row, column, KINDS.get(name, name))] += 1
        elif kind == "unique-error":
            rows[(row, column, "unique")] += 1
        elif kind == "primary-key":
            rows[(row, "", "primary_key")] += 1
        elif kind == "foreign-key":
            rows[(row, "", "foreign_key")] += 1
        elif kind in LABELS:
            header[LABELS[kind]] += 1
        elif kind == "blank-row":
            blank.add(row)
        elif kind in ("missing-cell", "extra-cell"):
            apart["cells"] += 1
        else:
            raise Unreadable(f"{kind}: {note}")
    apart["blank-row"] += len(blank)
    return rows, header, apart, blank


class Unreadable(Exception):
    """The file is not read alike: its errors are not those of a contract."""


KEYS = ("primary_key", "foreign_key", "unique_key")


def of_hotpass(found):
    rows = Counter()
    for violation in found["violations"]:
        key = violation["rule"] in KEYS
        rows[(violation["row"], "" if key else violation["field"], violation["rule"])] += 1
    header = Counter(breach["rule"] for breach in found["table"])
    return rows, header


# ----------------------------------------------------------------------------------------------------------- comparison


OTHERS = ("duration", "geopoint", "geojson", "object", "array", "list", "yearmonth")


class Tally:
    def __init__(self):
        self.lines, self.wrong, self.apart = {}, [], Counter()

    def count(self, part, same_verdict, same_errors, errors):
        line = self.lines.setdefault(part, [0, 0, 0, 0])
        line[0] += 1
        line[1] += same_verdict
        line[2] += same_errors
        line[3] += errors

    def compare(self, part, name, theirs, ours, theirs_header=Counter(), ours_header=Counter()):
        valid = not theirs and not theirs_header
        passed = not ours and not ours_header
        differs = []
        if valid != passed:
            differs.append(f"valid {valid} | {passed}")
        for key in sorted(set(theirs) | set(ours), key=str):
            if theirs[key] != ours[key]:
                differs.append(f"{key} {theirs[key]} | {ours[key]}")
        # frictionless pairs labels with columns by position or name and tells one mistake in several ways.
        if bool(theirs_header) != bool(ours_header):
            differs.append(f"header {dict(theirs_header)} | {dict(ours_header)}")
        self.count(part, valid == passed, not differs, sum(theirs.values()))
        if differs:
            self.wrong.append(f"{part} {name}: {'; '.join(differs[:8])}")


def opened(table, descriptor):
    """Opens a table under a schema, whose `$schema` says by which version of the standard it is read."""
    with system.use_context(trusted=True):
        return Resource.from_descriptor({"name": "table", "path": str(table), "schema": descriptor, **dialect(), **standard(descriptor)})


def standard(descriptor):
    """A resource of version 2 around a schema of version 2, as the command line of frictionless puts it."""
    two = "2.0" in descriptor.get("$schema", "")
    return {"$schema": "https://datapackage.org/profiles/2.0/dataresource.json"} if two else {}


def dialect():
    return {"type": "table", "format": "csv", "dialect": {"csv": {"delimiter": ","}}}


def blanks(columns):
    return {(at + 2, column) for column, cells in columns.items() for at, cell in enumerate(cells) if cell and not cell.strip()}


def without(tally, why, places, theirs, ours):
    """Takes out what is told of places on purpose: (row, column), or (None, column) for all of a column's types."""
    told = {key for key in set(theirs) | set(ours) if key[:2] in places or (None, key[1]) in places and key[2] == "type"}
    tally.apart[why] += len({key[:2] for key in told})
    return [Counter({key: count for key, count in side.items() if key not in told}) for side in (theirs, ours)]


def plain_csv():
    return Dialect(controls=[CsvControl(delimiter=",")])


def compare_made(hotpass, tally, folder):
    for name, contract, columns in made_tables():
        table, file = folder / f"{name}.csv", folder / f"{name}.contract.json"
        write_table(table, columns)
        file.write_text(json.dumps({"hotpass_contract": 1, **contract}), encoding="utf-8")
        resource = opened(table, hotpass.emit(file, "frictionless"))
        found, why = hotpass.validate(table, file)
        if found is None:
            tally.wrong.append(f"made {name}: Hotpass cannot check it: {why}")
            continue
        try:
            theirs, their_header, apart, blank = by_frictionless(resource)
        except Unreadable as error:
            tally.wrong.append(f"made {name}: frictionless cannot check it: {error}")
            continue
        tally.apart.update(apart)
        ours, our_header = of_hotpass(found)
        ours = Counter({key: count for key, count in ours.items() if key[0] not in blank})
        every = Counter(ours)
        theirs, ours = without(tally, "blank-text", blanks(columns), theirs, ours)
        if their_header and our_header:
            # Under a wrong header frictionless holds columns against the fields at their position.
            theirs = ours = Counter()
        tally.compare("contract as Table Schema, made tables", name, theirs, ours, their_header, our_header)
        json_rows(hotpass, tally, name, file, contract, columns, every)


def compare_foreign(hotpass, tally, folder):
    for name, contract, clubs, towns in foreign_tables():
        table, other, file = folder / f"{name}.csv", folder / f"{name}_towns.csv", folder / f"{name}.contract.json"
        write_table(table, clubs)
        write_table(other, towns)
        file.write_text(json.dumps({"hotpass_contract": 1, **contract}), encoding="utf-8")
        there = {"fields": [{"name": "code", "type": "integer"}, {"name": "region", "type": "string"}]}
        with system.use_context(trusted=True):
            package = Package(resources=[
                Resource(name="clubs", path=str(table), schema=Schema.from_descriptor(hotpass.emit(file, "frictionless")), dialect=plain_csv()),
                Resource(name="towns", path=str(other), schema=Schema.from_descriptor(there), dialect=plain_csv()),
            ])
            theirs, _, _, _ = by_frictionless(package.get_resource("clubs"))
        found, why = hotpass.validate(table, file, "--reference", f"towns={other}")
        if found is None:
            tally.wrong.append(f"foreign {name}: {why}")
            continue
        tally.compare("contract as Table Schema, made tables", name, theirs, of_hotpass(found)[0])


# ---------------------------------------------------------------------------------------------------------- JSON Schema


def instance(fields, columns, at):
    """Makes the row that a JSON Schema describes: values of JSON's types where the text is one, else the text."""
    row = {}
    for name, field in fields.items():
        if name not in columns:
            continue
        text = columns[name][at]
        if not text.strip():
            row[name] = None
            continue
        row[name] = text
        kind = field.get("type", "text")
        try:
            if kind == "integer":
                row[name] = int(text)
            elif kind == "number":
                value = float(text)
                row[name] = value if value == value and abs(value) != float("inf") else text
            elif kind == "boolean":
                row[name] = {"true": True, "True": True, "TRUE": True, "1": True, "false": False, "False": False, "FALSE": False, "0": False}.get(text, text)
        except ValueError:
            pass
    return row


def json_rows(hotpass, tally, name, file, contract, columns, ours):
    """Holds rows against the JSON Schema; keys, uniqueness and forms of text are not in it."""
    schema = hotpass.emit(file, "json-schema")
    jsonschema.Draft202012Validator.check_schema(schema)
    fields = {field["name"]: field for field in contract["fields"]}
    told = {"format", "true_values", "decimal_char", "group_char", "decorated"}
    special = any(told & set(field) for field in contract["fields"])
    limited = any(("minimum" in field or "maximum" in field or "enumeration" in field) and field.get("type") in ("date", "timestamp", "time") for field in contract["fields"])
    if special or limited or "missing_values" in contract or any(field.get("type") in ("date", "timestamp", "time") for field in contract["fields"]):
        tally.count("contract as JSON Schema 2020-12: schema", True, True, 0)
        return
    validator = jsonschema.Draft202012Validator(schema)
    in_schema = {"type", "required", "minimum", "maximum", "min_length", "max_length", "pattern", "enumeration"}
    height = len(next(iter(columns.values())))
    refused = Counter()
    for at in range(height):
        errors = [error for error in validator.iter_errors(instance(fields, columns, at)) if error.path]
        if errors:
            refused[at + 2] += 1
    wanted = Counter({row: 1 for (row, _, kind) in ours if kind in in_schema})
    # JSON has no infinity and no NaN: such numbers stay text, which is of the wrong type.
    for at in range(height):
        for column, field in fields.items():
            text = columns.get(column, [""] * height)[at].strip().lower().lstrip("+-")
            if field.get("type") == "number" and (text in ("inf", "infinity", "nan") or text == "1e400"):
                wanted[at + 2] = refused[at + 2] = 1
    same = {row for row in wanted if wanted[row]} == {row for row in refused if refused[row]}
    tally.count("contract as JSON Schema 2020-12: rows", same, same, sum(refused.values()))
    if not same:
        tally.wrong.append(f"JSON Schema {name}: rows refused by jsonschema {sorted(r for r in refused if refused[r])} | by Hotpass {sorted(r for r in wanted if wanted[r])}")


# --------------------------------------------------------------------------------------------------------------- corpora


def corpus(data, folder):
    """Yields the CSV files of the corpora, and the sheets of the workbooks as CSV."""
    for source in ["frictionless", "csv-spectrum", "w3c-csvw"]:
        for path in sorted((data / "ingest" / source).rglob("*.csv")):
            yield f"{source}/{path.name}", path
    try:
        import openpyxl
    except ImportError:
        return
    for book in sorted((data / "generated/hotpass_like").glob("*.xlsx")):
        workbook = openpyxl.load_workbook(book, data_only=True, read_only=True)
        for sheet in workbook.worksheets:
            rows = [["" if cell is None else str(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
            width = max((len(row) for row in rows), default=0)
            start = next((at for at, row in enumerate(rows) if width and sum(bool(cell.strip()) for cell in row) > width / 2), None)
            if start is None or len(rows) - start < 5:
                continue
            path = folder / f"{book.stem}_{sheet.title}.csv".replace(" ", "_")
            with open(path, "w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows(row + [""] * (width - len(row)) for row in rows[start:])
            yield f"hotpass_like/{path.name}", path


def regular(path):
    """Returns the rows of a file that both read alike: commas, UTF-8, one header with names once, all rows as long."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = list(csv.reader(text.splitlines(keepends=True), strict=True))
    except (UnicodeDecodeError, csv.Error):
        return None
    rows = [row for row in rows if row]
    if len(rows) < 3 or len(rows[0]) < 2 or any(len(row) != len(rows[0]) for row in rows):
        return None
    header = rows[0]
    if any(not name.strip() or name != name.strip() for name in header) or len({name.lower() for name in header}) != len(header):
        return None
    if any("\n" in cell or "\r" in cell for row in rows for cell in row) or any(all(not cell.strip() for cell in row) for row in rows):
        return None
    return rows


def broken(rows, seed):
    """Returns a copy with cells that are lost, swapped with another column's, doubled, and not of their kind."""
    chance = random.Random(seed)
    copy = [list(row) for row in rows]
    width = len(copy[0])
    for _ in range(max(4, len(copy) // 12)):
        row, column = chance.randrange(1, len(copy)), chance.randrange(width)
        what = chance.randrange(5)
        if what == 0:
            copy[row][column] = ""
        elif what == 1:
            other = chance.randrange(width)
            copy[row][column], copy[row][other] = copy[row][other], copy[row][column]
        elif what == 2:
            copy[row] = list(copy[chance.randrange(1, len(copy))])
        elif what == 3:
            copy[row][column] = chance.choice(["x", "-1", "1e9", "2025-02-30", "a@b", "www", "TRUE", "é", "0"])
        else:
            copy[row][column] = copy[row][column] + " "
    return [row for row in copy if any(cell.strip() for cell in row)]


def compare_corpora(hotpass, tally, data, folder):
    skipped = Counter()
    for number, (name, path) in enumerate(corpus(data, folder)):
        rows = regular(path)
        if rows is None:
            skipped["not a plain table of comma-separated values"] += 1
            continue
        if len(rows[0]) > 300 or len(rows) > 4000:
            skipped["more than 300 columns or 4,000 rows, which take minutes"] += 1
            continue
        safe = folder / f"corpus_{number}.csv"
        with open(safe, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
        damaged = folder / f"corpus_{number}_broken.csv"
        with open(damaged, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(broken(rows, number))
        inferred = folder / f"corpus_{number}.contract.json"
        ran = hotpass.run("contracts", "infer", safe, "--output", inferred)
        if ran.returncode:
            skipped["Hotpass finds no table"] += 1
            continue
        described = folder / f"corpus_{number}.schema.json"
        with system.use_context(trusted=True):
            schema = Schema.describe(str(safe), dialect=plain_csv())
        descriptor = schema.to_descriptor()
        described.write_text(json.dumps(descriptor), encoding="utf-8")
        emitted = hotpass.emit(inferred, "frictionless")
        if [field["name"] for field in emitted["fields"]] != rows[0]:
            skipped["Hotpass takes another row for the header"] += 1
            continue
        try:
            Schema.from_descriptor(emitted)
        except frictionless.FrictionlessException as error:
            tally.wrong.append(f"infer {name}: frictionless refuses the schema: {error}")
            continue
        tally.count("inferred by Hotpass: schema read by frictionless", True, True, 0)
        jsonschema.Draft202012Validator.check_schema(hotpass.emit(inferred, "json-schema"))
        jsonschema.Draft202012Validator.check_schema(hotpass.emit(inferred, "json-schema-array"))
        tally.count("contract as JSON Schema 2020-12: schema", True, True, 0)
        for part, schema, contract in [("inferred by Hotpass", emitted, inferred), ("described by frictionless", descriptor, described)]:
            for kind, table in [("its own file", safe), ("a broken copy", damaged)]:
                found, why = hotpass.validate(table, contract)
                if found is None:
                    skipped[f"Hotpass reads it as no table or several: {why[:60]}"] += 1
                    continue
                resource = opened(table, schema)
                try:
                    theirs, their_header, apart, blank = by_frictionless(resource)
                except Unreadable as error:
                    tally.wrong.append(f"{part}, {name}: {error}")
                    continue
                tally.apart.update(apart)
                ours, our_header = of_hotpass(found)
                ours = Counter({key: count for key, count in ours.items() if key[0] not in blank})
                with open(table, newline="", encoding="utf-8") as file:
                    cells = list(csv.reader(file))
                columns = {label: [row[at] for row in cells[1:]] for at, label in enumerate(cells[0])}
                theirs, ours = without(tally, "blank-text", blanks(columns), theirs, ours)
                unlike = {(None, field["name"]) for field in schema["fields"] if field.get("type") in OTHERS or field.get("hotpass", {}).get("format") == "phone"}
                theirs, ours = without(tally, "kind", unlike, theirs, ours)
                tally.compare(f"{part}, {kind}", name, theirs, ours, their_header, our_header)
    return skipped


def main():
    report = None
    if "--report" in sys.argv:
        at = sys.argv.index("--report")
        report = Path(sys.argv[at + 1])
        del sys.argv[at : at + 2]
    folder = Path(sys.argv[3]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    hotpass, data = Hotpass(str(Path(sys.argv[1]).resolve()), folder), Path(sys.argv[2]).resolve()
    tally = Tally()
    compare_made(hotpass, tally, folder)
    compare_foreign(hotpass, tally, folder)
    skipped = compare_corpora(hotpass, tally, data, folder) if data.is_dir() else Counter({"no test data": 1})
    print(f"frictionless {frictionless.__version__}, jsonschema {__import__('importlib.metadata').metadata.version('jsonschema')}")
    print(f"{'what':<56} {'tables':>7} {'same verdict':>13} {'same errors':>12} {'errors':>8}")
    for part, line in tally.lines.items():
        print(f"{part:<56} {line[0]:>7} {line[1]:>13} {line[2]:>12} {line[3]:>8}")
    for what, count in tally.apart.items():
        print(f"deliberate: {count} × {what}: {DELIBERATE[what]}")
    for why, count in skipped.most_common():
        print(f"left out: {count} × {why}")
    for line in tally.wrong:
        print(f"DIFFERS (frictionless | Hotpass) {line}")
    (folder / "table.json").write_text(json.dumps({"lines": tally.lines, "deliberate": tally.apart, "differences": tally.wrong}, indent=1, ensure_ascii=False))
    if report:
        report.write_text(page(tally, skipped), encoding="utf-8")
    sys.exit(1 if tally.wrong else 0)


def page(tally, skipped):
    lines = [
        "# Contracts beside frictionless and jsonschema",
        "",
        "The same tables against the same contracts, by frictionless, by jsonschema and by Hotpass: this page holds the figures of one run of",
        "`crates/hotpass-quality/tests/peers/compare_frictionless.py`, which writes it. *Same errors*: each error has the same row, column and kind on",
        "both sides. Broken copies have cells that are lost, swapped, doubled or not of their kind.",
        "",
        f"frictionless {frictionless.__version__}, jsonschema {__import__('importlib.metadata').metadata.version('jsonschema')}. Tables that differ: {len(tally.wrong)}.",
        "",
        "| what | tables | same verdict | same errors | errors |",
        "| --- | ---: | ---: | ---: | ---: |",
        *[f"| {part} | {line[0]:,} | {line[1]:,} | {line[2]:,} | {line[3]:,} |" for part, line in tally.lines.items()],
        "",
        "Meant to differ, and taken out before comparing:",
        "",
        *[f"- {count} times: {DELIBERATE[what][0].lower()}{DELIBERATE[what][1:]}." for what, count in tally.apart.items() if count],
        "",
        "Left out of the corpora:",
        "",
        *[f"- {count}: {why}." for why, count in skipped.most_common()],
        "",
        "Hotpass checks more than a Table Schema says: freshness, number of rows, unique keys over several columns (which frictionless reads and",
        "does not check), telephone numbers.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
