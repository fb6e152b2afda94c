"""Trains the eight-comparison model of the speed comparison with the real Splink.

Usage: people_model.py PEOPLE.parquet OUTPUT_FOLDER

Writes people_narrow.json and people_wide.json: the same comparisons and parameters, different blocking rules.
"""
import json
import pathlib
import sys

import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

COMPARISONS = [
    cl.NameComparison("first_name"),
    cl.NameComparison("last_name"),
    cl.DateOfBirthComparison("dob", input_is_string=True),
    cl.JaroWinklerAtThresholds("street", [0.9, 0.7]),
    cl.ExactMatch("city").configure(term_frequency_adjustments=True),
    cl.LevenshteinAtThresholds("postcode", [1]),
    cl.EmailComparison("email"),
    cl.LevenshteinAtThresholds("phone", [1, 2]),
]
RULES = {
    "narrow": [block_on("email"), block_on("phone"), block_on("last_name", "dob"), block_on("first_name", "dob"),
               block_on("dob", "city")],
    "wide": [block_on("email"), block_on("phone"), block_on("last_name", "dob"), block_on("first_name", "city"),
             block_on("last_name", "city")],
    "scale": [block_on("email"), block_on("phone"), block_on("last_name", "postcode"), block_on("dob")],
}

if __name__ == "__main__":
    api = DuckDBAPI()
    people = api.register(api.duckdb_con.sql(f"select * from '{sys.argv[1]}'"))
    settings = SettingsCreator(link_type="dedupe_only", comparisons=COMPARISONS,
                               blocking_rules_to_generate_predictions=RULES["narrow"], retain_matching_columns=False)
    linker = Linker(people, settings)
    linker.training.estimate_probability_two_random_records_match([block_on("first_name", "last_name", "dob")], recall=0.5)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e7, seed=1)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("last_name", "dob"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("email"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("phone"))
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    linker.misc.save_model_to_json(str(folder / "people_narrow.json"), overwrite=True)
    model = json.loads((folder / "people_narrow.json").read_text())
    for name, rules in RULES.items():
        model["blocking_rules_to_generate_predictions"] = [rule.create_blocking_rule_dict("duckdb") for rule in rules]
        (folder / f"people_{name}.json").write_text(json.dumps(model, indent=2))
