"""Prints the comparison vectors that Splink finds for all pairs of a made-up table, over its whole comparison library.

    python comparison_levels.py > ../fixtures/comparison_levels.json

Needs splink (written with 5.0.0 on DuckDB 2.0). The table is drawn from a fixed seed; nobody in it exists.
"""

import json
import random
import sys

import duckdb
import pyarrow as pa
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator

ROWS = 64
random.seed(20)

FORENAMES = "Anna Anne Ann Hannah Maria Mariah José Jose Zoë Zoe Jon John Jonathan Li Bo".split()
SURNAMES = "Smith Smyth Smithe Jones Johns Johnson Müller Mueller Muller Ng Nguyen Anna Maria".split()
POSTCODES = ["SW1A 1AA", "SW1A 2AA", "SW1P 1AA", "SE1 7PB", "SE17PB", "M1 1AE", "M1 1AF", "nowhere"]
DATES = ["1980-01-01", "1980-01-10", "1980-10-01", "1981-01-01", "1990-01-01", "1985-12-31", "1986-01-01", "1980-13-41"]
DOMAINS = ["example.com", "example.org", "exmaple.com"]


def or_null(value, share=0.12):
    return None if random.random() < share else value


def record(unique_id):
    forename, surname = random.choice(FORENAMES), random.choice(SURNAMES)
    return {
        "unique_id": unique_id,
        "forename": or_null(forename),
        "surname": or_null(surname),
        "dob": or_null(random.choice(DATES)),
        "postcode": or_null(random.choice(POSTCODES)),
        "email": or_null(f"{forename.lower()}{random.choice(['', '.', '_'])}{surname.lower()}@{random.choice(DOMAINS)}"),
        "lat": or_null(51.5 + random.choice([0.0, 0.001, 0.02, 0.3, 2.0])),
        "long": or_null(-0.1 + random.choice([0.0, 0.001, 0.02, 0.3, 2.0])),
        "amount": or_null(random.choice([0.0, 1.0, 1.05, 10.0, 10.4, 100.0, -3.0])),
        "tags": or_null(random.sample(["red", "green", "blue", "gren", "blu"], random.choice([0, 1, 2, 3]))),
        "embedding": or_null([random.choice([0.5, 1.0, 2.0, -1.0]) for _ in range(3)]),
    }


def level_comparison(name, *levels):
    return cl.CustomComparison(
        output_column_name=name,
        comparison_levels=[*levels, cll.ElseLevel()],
    )


rows = [record(unique_id) for unique_id in range(ROWS)]
schema = pa.schema(
    [("unique_id", pa.int64())]
    + [(name, pa.string()) for name in ("forename", "surname", "dob", "postcode", "email")]
    + [(name, pa.float64()) for name in ("lat", "long", "amount")]
    + [("tags", pa.list_(pa.string())), ("embedding", pa.list_(pa.float64(), 3))]
)
connection = duckdb.connect()
# Splink 5.0.0 writes lambdas in the spelling that DuckDB 2.0 is about to drop.
connection.execute("set lambda_syntax = 'ENABLE_SINGLE_ARROW'")
connection.register("drawn", pa.Table.from_pylist(rows, schema=schema))
connection.execute("create table people as select * from drawn")

comparisons = [
    cl.ExactMatch("forename"),
    cl.LevenshteinAtThresholds("forename"),
    cl.DamerauLevenshteinAtThresholds("forename"),
    cl.JaroAtThresholds("forename"),
    cl.JaroWinklerAtThresholds("forename", [0.95, 0.9, 0.7]),
    cl.JaccardAtThresholds("forename", [0.9, 0.5, 0.2]),
    cl.DistanceFunctionAtThresholds("forename", "levenshtein", [1, 3], higher_is_more_similar=False),
    cl.PairwiseStringDistanceFunctionAtThresholds("tags", "jaro_winkler", [0.95, 0.8]),
    cl.PairwiseStringDistanceFunctionAtThresholds("tags", "levenshtein", [1, 2]),
    cl.AbsoluteDateDifferenceAtThresholds("dob", input_is_string=True, metrics=["day", "month", "year"], thresholds=[9, 10, 1]),
    cl.ArrayIntersectAtSizes("tags", [2, 1]),
    cl.DistanceInKMAtThresholds("lat", "long", [0.1, 1, 10, 100]),
    cl.CosineSimilarityAtThresholds("embedding"),
    cl.DateOfBirthComparison("dob", input_is_string=True),
    cl.DateOfBirthComparison("dob", input_is_string=True, invalid_dates_as_null=False),
    cl.PostcodeComparison("postcode"),
    cl.PostcodeComparison("postcode", lat_col="lat", long_col="long", km_thresholds=[1, 10, 100]),
    cl.EmailComparison("email"),
    cl.NameComparison("forename"),
    cl.ForenameSurnameComparison("forename", "surname"),
    level_comparison("literal", cll.LiteralMatchLevel("surname", "Smith", "string", "left"), cll.LiteralMatchLevel("surname", "Jones", "string", "both")),
    level_comparison("reversed", cll.ColumnsReversedLevel("forename", "surname", symmetrical=True), cll.ColumnsReversedLevel("forename", "surname")),
    level_comparison("difference", cll.NullLevel("amount"), cll.AbsoluteDifferenceLevel("amount", 1), cll.PercentageDifferenceLevel("amount", 0.1)),
    level_comparison("subset", cll.NullLevel("tags"), cll.ArraySubsetLevel("tags"), cll.ArraySubsetLevel("tags", empty_is_subset=True)),
    level_comparison("combined", cll.And(cll.NullLevel("forename"), cll.Not(cll.NullLevel("surname"))), cll.Or(cll.JaroWinklerLevel("forename", 0.9), cll.ExactMatchLevel("surname")), cll.Not(cll.LevenshteinLevel("surname", 4))),
]

vectors = {}
models = []
for number, comparison in enumerate(comparisons):
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[comparison],
        blocking_rules_to_generate_predictions=["1=1"],
        retain_intermediate_calculation_columns=True,
        retain_matching_columns=True,
    )
    api = DuckDBAPI(connection)
    linker = Linker(api.register("people"), settings)
    model = linker.misc.save_model_to_json()
    name = model["comparisons"][0]["output_column_name"]
    table = linker.inference.predict().as_record_list()
    gammas = {(row["unique_id_l"], row["unique_id_r"]): row[f"gamma_{name}"] for row in table}
    found = [gammas[left, right] for left in range(ROWS) for right in range(left + 1, ROWS)]
    model["comparisons"][0]["output_column_name"] = f"{number}_{name}"
    models.append(model)
    vectors[f"{number}_{name}"] = "".join(chr(ord("0") + gamma) if gamma >= 0 else "-" for gamma in found)

whole = models[0] | {"comparisons": [model["comparisons"][0] for model in models]}


def lines(items):
    return ",\n".join(items)


def compact(value):
    return json.dumps(value, ensure_ascii=False)


print('{"rows":[\n' + lines(compact(row) for row in rows) + "\n],")
print('"model":' + compact(whole) + ",")
print('"vectors":{\n' + lines(compact(name) + ":" + compact(found) for name, found in vectors.items()) + "\n}}")
