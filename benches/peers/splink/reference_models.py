"""Trains models with the real Splink and writes what it scores, for the parity check.

Usage: reference_models.py DATA_FOLDER OUTPUT_FOLDER [CASE ...]

For each case OUTPUT_FOLDER/CASE/ receives `input_*.parquet` (one per source), `model.json` (as Splink saves it) and
`reference.parquet`: every candidate pair with its comparison vector values, weights and match weight.
"""
import json
import pathlib
import sys
import time

import duckdb
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import ColumnExpression, DuckDBAPI, Linker, SettingsCreator, block_on

FEBRL = [
    cl.NameComparison("given_name"),
    cl.NameComparison("surname"),
    cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format="%Y%m%d"),
    cl.DamerauLevenshteinAtThresholds("soc_sec_id", [2]),
    cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
    cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(term_frequency_adjustments=True),
    cl.LevenshteinAtThresholds("address_1", [2, 5]),
]
FEBRL_RULES = [
    block_on("soc_sec_id"),
    block_on("given_name", "surname"),
    block_on("date_of_birth"),
    block_on("postcode", "substr(surname,1,2)"),
]


def records(connection, path):
    """Reads a set of records as text, empty text as null."""
    relation = connection.sql(f"select * from read_csv('{path}', all_varchar=true, header=true)")
    columns = ", ".join(f'nullif("{name}", \'\') as "{name}"' for name in relation.columns)
    return connection.sql(f"select {columns} from relation")


def febrl(name):
    def make(connection, data):
        people = records(connection, data / "er" / name / "records.csv")
        settings = SettingsCreator(
            link_type="dedupe_only", comparisons=FEBRL, blocking_rules_to_generate_predictions=FEBRL_RULES,
            retain_intermediate_calculation_columns=True)
        return [people], settings, ["l.soc_sec_id = r.soc_sec_id"], [block_on("date_of_birth"), block_on("postcode")], 0.9
    return make


def fake_1000(connection, data):
    people = records(connection, data / "er/splink_fake_1000/records.csv")
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            cl.NameComparison("first_name"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison("dob", input_is_string=True),
            cl.ExactMatch("city").configure(term_frequency_adjustments=True),
            cl.EmailComparison("email"),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("first_name", "city"), block_on("surname"), block_on("substr(dob,1,7)"), block_on("email")],
        retain_intermediate_calculation_columns=True)
    return [people], settings, ["l.email = r.email"], [block_on("first_name"), block_on("dob")], 0.7


def historical_50k(connection, data):
    people = connection.sql(f"select * from '{data / 'er/splink_historical_50k/records.parquet'}'")
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            cl.ForenameSurnameComparison("first_name", "surname", forename_surname_concat_col_name="first_and_surname"),
            cl.DateOfBirthComparison("dob", input_is_string=True),
            cl.PostcodeComparison("postcode_fake"),
            cl.ExactMatch("birth_place").configure(term_frequency_adjustments=True),
            cl.ExactMatch("occupation").configure(term_frequency_adjustments=True),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("first_name", "surname", "dob"), block_on("substr(first_name,1,2)", "surname", "postcode_fake"),
            block_on("dob", "postcode_fake"), block_on("dob", "first_name"), block_on("dob", "surname"),
            block_on("dob", "birth_place"), block_on("first_name", "surname", "birth_place")],
        retain_intermediate_calculation_columns=True)
    columns = set(people.columns)
    if "first_and_surname" not in columns:
        people = connection.sql("select *, first_name || ' ' || surname as first_and_surname from people")
    return [people], settings, ["l.first_name = r.first_name and l.surname = r.surname and l.dob = r.dob"], \
        [block_on("first_name", "surname"), block_on("dob")], 0.6


def pseudopeople(connection, data):
    people = records(connection, data / "er/pseudopeople_census_w2/records.csv")
    sources = [row[0] for row in connection.sql("select distinct source from people order by source").fetchall()]
    tables = [people.filter(f"source = '{source}'") for source in sources]
    settings = SettingsCreator(
        link_type="link_only",
        comparisons=[
            cl.NameComparison("first_name"),
            cl.NameComparison("last_name"),
            cl.JaroWinklerAtThresholds("middle_initial", [0.9]),
            cl.LevenshteinAtThresholds("street_number", [1]),
            cl.JaroAtThresholds("street_name", [0.9, 0.7]),
            cl.JaccardAtThresholds("city", [0.9, 0.7]),
            cl.ExactMatch("zipcode").configure(term_frequency_adjustments=True),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("first_name", "last_name"), block_on("street_number", "street_name"),
            "l.last_name = r.last_name and substr(l.first_name,1,1) = substr(r.first_name,1,1) and l.zipcode = r.zipcode",
            "l.first_name = r.last_name and l.last_name = r.first_name"],
        retain_intermediate_calculation_columns=True)
    return tables, settings, ["l.first_name = r.first_name and l.last_name = r.last_name"], \
        [block_on("first_name", "last_name"), block_on("street_name")], 0.8


def abt_buy(connection, data):
    people = records(connection, data / "er/abt_buy/records.csv")
    people = connection.sql(
        "select *, lower(split_part(name, ' ', 1)) as brand, try_cast(replace(replace(price, '$', ''), ',', '') as double) as amount, "
        "list_distinct(string_split(lower(name), ' ')) as words from people")
    tables = [people.filter(f"source = '{source}'") for source in ("abt", "buy")]
    settings = SettingsCreator(
        link_type="link_only",
        comparisons=[
            cl.ExactMatch("brand").configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("name", [0.9, 0.8, 0.7]).configure(term_frequency_adjustments=True),
            cl.ArrayIntersectAtSizes("words", [5, 3, 2, 1]),
            cl.CustomComparison(
                output_column_name="amount",
                comparison_levels=[
                    cll.NullLevel("amount"), cll.AbsoluteDifferenceLevel("amount", 1),
                    cll.PercentageDifferenceLevel("amount", 0.1), cll.PercentageDifferenceLevel("amount", 0.3), cll.ElseLevel()]),
        ],
        blocking_rules_to_generate_predictions=[block_on("brand"), "l.name = r.name"],
        retain_intermediate_calculation_columns=True)
    return tables, settings, ["l.name = r.name"], [block_on("brand")], 0.5


def synthetic_all(connection, data):
    """Arrays, dates, times, distances and hand-written SQL over invented records."""
    connection.sql("select setseed(0.42)")
    connection.sql("""
        create or replace table invented as
        with base as (select range as i, hash(range // 3) as h, hash(range * 7 + 1) as g from range(3000))
        select 'r' || lpad(i::varchar, 5, '0') as unique_id,
            case when g % 11 = 0 then null else ['Amélie', 'Zoë', 'Jonas', 'jonas', 'Anna-Lena', 'Bo', 'Łukasz', ''][1 + (h % 8)::int] || ['', '', '', 'x'][1 + (g % 4)::int] end as forename,
            ['Müller', 'Muller', 'Smith', 'Smyth', 'van der Berg', 'O''Neil'][1 + ((h // 8 + (g % 5) // 4) % 6)::int] as surname,
            case when g % 13 = 0 then null else (date '1960-01-01' + ((h % 9000) + (case when g % 3 = 0 then g % 40 else 0 end))::int)::varchar end as born,
            case when g % 17 = 0 then null else (timestamp '2020-01-01 00:00:00' + to_seconds(((h % 900000) + (g % 900))::int)) end as seen,
            case when g % 7 = 0 then null else 50 + (h % 1000) / 500.0 + (g % 10) / 1000.0 end as lat,
            case when g % 7 = 0 then null else (h % 777) / 400.0 + (g % 9) / 1000.0 end as long,
            case when g % 19 = 0 then null when g % 19 = 1 then [] else list_distinct(['a' || (h % 5), 'b' || (g % 3), 'c' || (h % 2), null]) end as tags,
            case when g % 23 = 0 then null else [((h % 90) + 1)::double, (g % 7)::double, (h % 13)::double + 0.5]::double[3] end as vector,
            case when g % 5 = 0 then null else 'E' || (h % 20 + 1) || ' ' || (g % 3 + 1) || ['AB', 'CD', 'EF'][1 + (h % 3)::int] end as postcode,
            (h % 1000)::bigint + (case when g % 4 = 0 then 1 else 0 end) as amount,
            case when g % 29 = 0 then null else lower(['a','b','c'][1 + (g % 3)::int]) || (h % 40) || '@' || ['x.org', 'y.net'][1 + (h % 2)::int] end as email,
            ['east', 'west', 'north'][1 + (g % 3)::int] as origin
        from base order by i""")
    tables = [connection.sql(f"select * from invented where origin = '{origin}'") for origin in ("east", "north", "west")]
    settings = SettingsCreator(
        link_type="link_and_dedupe",
        comparisons=[
            cl.ForenameSurnameComparison("forename", "surname"),
            cl.AbsoluteDateDifferenceAtThresholds("born", input_is_string=True, metrics=["day", "month", "year"], thresholds=[10, 2, 5]),
            cl.AbsoluteTimeDifferenceAtThresholds("seen", input_is_string=False, metrics=["minute", "hour", "day"], thresholds=[5, 2, 3]),
            cl.DistanceInKMAtThresholds("lat", "long", [0.5, 5, 50]),
            cl.ArrayIntersectAtSizes("tags", [3, 2, 1]),
            cl.CosineSimilarityAtThresholds("vector", [0.999, 0.9, 0.7]),
            cl.PostcodeComparison("postcode", lat_col="lat", long_col="long", km_thresholds=[1, 10]),
            cl.EmailComparison("email"),
            cl.ExactMatch("origin"),
            cl.CustomComparison(
                output_column_name="amount",
                comparison_levels=[
                    cll.CustomLevel("amount_l is null or amount_r is null", "null").configure(is_null_level=True),
                    cll.CustomLevel("amount_l = amount_r and substr(surname_l, 1, 1) = substr(surname_r, 1, 1)", "same and same initial"),
                    cll.Or(cll.AbsoluteDifferenceLevel("amount", 1), cll.And(cll.ExactMatchLevel("surname"), cll.Not(cll.ExactMatchLevel("forename")))),
                    cll.CustomLevel("(amount_l % 10) = (amount_r % 10) and abs(amount_l - amount_r) between 10 and 200", "same unit"),
                    cll.ColumnsReversedLevel("forename", "surname", symmetrical=True),
                    cll.ElseLevel()]),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("surname", "substr(born,1,4)"), block_on("email"), block_on("postcode"),
            "l.forename = r.forename and abs(l.amount - r.amount) < 50", block_on("try_strptime(born, '%Y-%m-%d')", "origin")],
        retain_intermediate_calculation_columns=True)
    return tables, settings, ["l.email = r.email and l.surname = r.surname"], [block_on("surname"), block_on("email")], 0.5


def exploded(connection, data):
    """A rule over exploded arrays, and pairwise distances between their elements."""
    synthetic_all(connection, data)
    people = connection.sql("select * from invented where hash(unique_id) % 2 = 0")
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            cl.JaroWinklerAtThresholds("surname", [0.9, 0.7]),
            cl.PairwiseStringDistanceFunctionAtThresholds("tags", "levenshtein", [1]),
            cl.JaroWinklerAtThresholds(ColumnExpression("forename").lower().substr(1, 4), [0.9]),
            cl.LevenshteinAtThresholds(ColumnExpression("email").regex_extract("^[^@]+"), [1, 2]),
        ],
        blocking_rules_to_generate_predictions=[block_on("tags", "surname", arrays_to_explode=["tags"])],
        retain_intermediate_calculation_columns=True)
    return [people], settings, ["l.email = r.email"], [block_on("surname"), block_on("email")], 0.5


CASES = {
    "febrl1": febrl("febrl1"), "febrl2": febrl("febrl2"), "febrl3": febrl("febrl3"), "fake_1000": fake_1000,
    "historical_50k": historical_50k, "pseudopeople": pseudopeople, "abt_buy": abt_buy, "synthetic_all": synthetic_all,
    "exploded": exploded,
}


def read(connection, path):
    """Reads an input back; Parquet forgets that lists have a fixed size, which the cosine similarity of vectors asks for."""
    relation = connection.sql(f"select * from '{path}'")
    if "vector" in relation.columns:
        return connection.sql(f"select * replace (vector::double[3] as vector) from '{path}'")
    return relation


def run(name, data, output):
    clock = time.time()
    folder = output / name
    folder.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute("set threads = 2")
    tables, settings, deterministic, training, recall = CASES[name](connection, data)
    paths = []
    for number, table in enumerate(tables):
        path = folder / f"input_{number}.parquet"
        table.write_parquet(str(path))
        paths.append(path)
    api = DuckDBAPI(connection=duckdb.connect())
    api.duckdb_con.execute("set lambda_syntax = 'ENABLE_SINGLE_ARROW'")
    frames = [
        api.register(read(api.duckdb_con, path), dataset_display_name=path.stem) for path in paths]
    linker = Linker(frames if len(frames) > 1 else frames[0], settings)
    linker.training.estimate_probability_two_random_records_match(deterministic, recall=recall)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for rule in training:
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(rule)
        except Exception as error:  # a rule may leave nothing to train; the others still do
            print(f"{name}: EM: {str(error)[:200]}")
    linker.misc.save_model_to_json(str(folder / "model.json"), overwrite=True)
    predictions = linker.inference.predict()
    out = folder / "reference.parquet"
    predictions.as_duckdbpyrelation().write_parquet(str(out))
    count = duckdb.sql(f"select count(*) from '{out}'").fetchall()[0][0]
    print(f"{name}: {count} pairs, {time.time() - clock:.1f} s", flush=True)


if __name__ == "__main__":
    data, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    for case in sys.argv[3:] or CASES:
        run(case, data, output)
