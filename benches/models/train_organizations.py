"""Trains the linkage model that ships with hotpass, `crates/hotpass-config/profiles/organizations.linkage.json`.

Needs Python with duckdb, numpy, pandas and pyarrow, organisations with a truth column `cluster_id`, and a run over them:

    hotpass refine orgs.csv --no-probabilistic --set resolve.write_linkage_keys=true
    train_organizations.py dist/runs/RUN orgs.csv organizations.linkage.json

The levels and blocking rules below are the model's form. Their weights come from a logistic regression (ridge, Newton steps)
over the levels of labelled candidate pairs, because values such as a web domain that sister companies share are not
independent given a match; m and u estimated one comparison at a time would count them several times. For each comparison, u
is the distribution of levels among the pairs that do not match, scaled above and below weight 0 so that u and
m = u * 2^weight both sum to one. The prior is thus the share of matches among candidate pairs, not among all pairs.

A share of the clusters is enough; what does not match is then weighted up to the density of the whole file.
"""

import json
import sys

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq

SHARE_OF_CLUSTERS = 0.3
RIDGE = 1.0


def missing(*columns):
    return " OR ".join(f"{column}_l IS NULL OR {column}_r IS NULL" for column in columns)


COMPARISONS=[
 ('name',[
  (missing('name'),'missing'),
  ('name_l = name_r','equal'),
  ('damerau_levenshtein(name_l, name_r) <= 1','one typing slip'),
  ('damerau_levenshtein(name_l, name_r) <= 2 AND jaro_winkler_similarity(name_l, name_r) >= 0.9','two typing slips'),
  ('jaro_winkler_similarity(name_l, name_r) >= 0.95','nearly equal'),
  ('jaro_winkler_similarity(name_l, name_r) >= 0.88','similar'),
  ('jaro_winkler_similarity(name_l, name_r) >= 0.75','slightly similar'),
  ('ELSE','different')]),
 ('branch',[
  ('branch_l IS NULL AND branch_r IS NULL','no branch'),
  ('branch_l = branch_r','equal'),
  ('damerau_levenshtein(branch_l, branch_r) <= 2','typing slips'),
  ('branch_l IS NULL OR branch_r IS NULL','only one names a branch'),
  ('ELSE','different')]),
 ('registration_number',[
  (missing('registration_number'),'missing'),
  ('registration_number_l = registration_number_r','equal'),
  ('damerau_levenshtein(registration_number_l, registration_number_r) <= 1','one typing slip'),
  ('ELSE','different')]),
 ('phone',[
  (missing('phone'),'missing'),
  ('phone_l = phone_r','equal'),
  ('damerau_levenshtein(phone_l, phone_r) <= 1','one typing slip'),
  ('ELSE','different')]),
 ('web',[
  ('('+missing('email')+') AND ('+missing('web_domain')+')','missing'),
  ('email_l = email_r','equal e-mail address'),
  ('damerau_levenshtein(email_l, email_r) <= 1','e-mail address with a typing slip'),
  ('web_domain_l = web_domain_r','equal own domain'),
  ('damerau_levenshtein(web_domain_l, web_domain_r) <= 1','own domain with a typing slip'),
  ('ELSE','different')]),
 ('street',[
  (missing('street'),'missing'),
  ('street_l = street_r','equal'),
  ('damerau_levenshtein(street_l, street_r) <= 2','typing slips'),
  ('jaro_winkler_similarity(street_l, street_r) >= 0.88','similar'),
  ('ELSE','different')]),
 ('place',[
  ('('+missing('postal_code')+') AND ('+missing('city')+') AND ('+missing('province')+')','missing'),
  ('postal_code_l = postal_code_r AND city_l = city_r','equal town and postal code'),
  ('postal_code_l = postal_code_r','equal postal code'),
  ('city_l = city_r AND ('+missing('postal_code')+')','equal town, no postal code'),
  ('damerau_levenshtein(city_l, city_r) <= 2 AND ('+missing('postal_code')+')','town with typing slips, no postal code'),
  ('city_l = city_r OR damerau_levenshtein(postal_code_l, postal_code_r) <= 1','equal town or nearly equal postal code'),
  ('province_l = province_r','equal province'),
  ('ELSE','different')]),
 ('contact_name',[
  (missing('contact_name'),'missing'),
  ('contact_name_l = contact_name_r','equal'),
  ('jaro_winkler_similarity(contact_name_l, contact_name_r) >= 0.92','similar'),
  ('ELSE','different')]),
]
RULES=['l.phone = r.phone','l.email = r.email','l.web_domain = r.web_domain','l.registration_number = r.registration_number','l.name = r.name',
 'left(l.name, 5) = left(r.name, 5) AND l.postal_code = r.postal_code',
 'left(l.name, 5) = left(r.name, 5) AND l.city = r.city',
 'right(l.name, 6) = right(r.name, 6) AND l.postal_code = r.postal_code',
 'right(l.name, 10) = right(r.name, 10) AND left(l.name, 1) = left(r.name, 1) AND l.province = r.province',
 'left(l.name, 8) = left(r.name, 8) AND l.province = r.province',
 'l.street = r.street AND l.postal_code = r.postal_code',
 'l.street = r.street AND l.city = r.city',
]


def keys_of(run, truth):
    keys = pq.read_table(f"{run}/linkage_keys.parquet").to_pandas()
    crosswalk = pq.read_table(f"{run}/crosswalk.parquet").to_pandas()
    rows = crosswalk[crosswalk.outcome == "entity"].row.values
    keys["cluster"] = pd.read_csv(truth, dtype=str, usecols=["cluster_id"]).cluster_id.values[rows - 2]
    keys["frequency"] = keys.name.map(keys.name.value_counts(normalize=True))
    clusters = pd.Series(keys.cluster.unique()).sample(frac=SHARE_OF_CLUSTERS, random_state=1)
    keys = keys[keys.cluster.isin(set(clusters))].reset_index(drop=True)
    keys["unique_id"] = range(len(keys))
    return keys


def patterns_of(keys):
    """Counts candidate pairs by levels and rounded name frequency, with their share of matches."""
    connection = duckdb.connect()
    connection.register("t", keys)
    pairs = " UNION ".join(
        f"SELECT l.unique_id a, r.unique_id b FROM t l JOIN t r ON {rule} AND l.unique_id < r.unique_id" for rule in RULES
    )
    columns = [column for column in keys.columns if column not in ("unique_id", "cluster", "frequency")]
    both = ", ".join(f"l.{column} AS {column}_l, r.{column} AS {column}_r" for column in columns)
    levels = ", ".join(
        "CASE " + " ".join(f"WHEN {sql} THEN {level}" for level, (sql, _) in enumerate(of[:-1])) + f" ELSE {len(of) - 1} END AS {name}"
        for name, of in COMPARISONS
    )
    pairs = connection.execute(
        f"SELECT matches, frequency, {levels} FROM (SELECT l.cluster = r.cluster AS matches, l.frequency, {both} "
        f"FROM ({pairs}) p JOIN t l ON l.unique_id = p.a JOIN t r ON r.unique_id = p.b)"
    ).df()
    pairs["bits"] = np.where(pairs.name == 1, np.round(-np.log2(pairs.frequency.fillna(1)), 1), 0)
    by = [name for name, _ in COMPARISONS] + ["bits"]
    return pairs.groupby(by).agg(n=("matches", "size"), matches=("matches", "sum")).reset_index()


def weights_of(patterns):
    """Returns the prior, the weight of each level that is not null, and the weight of a bit of name frequency, in bits."""
    design = [np.ones(len(patterns))]
    for name, levels in COMPARISONS:
        design += [patterns[name].values == level for level in range(1, len(levels))]
    design = np.column_stack([*design, patterns.bits.values]).astype(float)
    different = (patterns.n - patterns.matches).values / SHARE_OF_CLUSTERS
    n = patterns.matches.values + different
    share = patterns.matches.values / n
    weights = np.zeros(design.shape[1])
    for _ in range(25):
        fitted = 1 / (1 + np.exp(-design @ weights))
        gradient = design.T @ (n * (share - fitted)) - RIDGE * np.r_[0, weights[1:]]
        hessian = (design.T * (n * fitted * (1 - fitted))) @ design + RIDGE * np.eye(len(weights))
        step = np.linalg.solve(hessian, gradient)
        weights += step
        if abs(step).max() < 1e-5:
            break
    return weights / np.log(2)


def comparisons_of(patterns, weights, frequency_weight):
    different = (patterns.n - patterns.matches).values
    first = 0
    for name, levels in COMPARISONS:
        of_levels = weights[first : first + len(levels) - 1]
        first += len(levels) - 1
        u0 = np.array([different[patterns[name].values == level].sum() for level in range(1, len(levels))]) + 5.0
        u0 /= u0.sum()
        u = u0
        for _ in range(200):
            weight = of_levels.copy()
            if name == "name":
                # The engine takes the frequency against the u of equal names.
                weight[0] -= frequency_weight * np.log2(u[0])
            above = weight > 0
            mean_above = np.average(2 ** weight[above], weights=u0[above])
            mean_below = np.average(2 ** weight[~above], weights=u0[~above])
            share = (1 - mean_below) / (mean_above - mean_below)
            u = np.where(above, u0 / u0[above].sum() * share, u0 / u0[~above].sum() * (1 - share))
        m = u * 2**weight
        m /= m.sum()
        described = []
        for level, (sql, label) in enumerate(levels):
            document = {"sql_condition": sql, "label_for_charts": label}
            if level == 0:
                document["is_null_level"] = True
            else:
                document["m_probability"] = float(f"{m[level - 1]:.6g}")
                document["u_probability"] = float(f"{u[level - 1]:.6g}")
            if (name, level) == ("name", 1):
                document |= {"tf_adjustment_column": "name", "tf_adjustment_weight": round(frequency_weight, 4)}
            described.append(document)
        yield {"output_column_name": name, "comparison_levels": described}


def main(run, truth, path):
    patterns = patterns_of(keys_of(run, truth))
    weights = weights_of(patterns)
    frequency_weight = float(np.clip(weights[-1], 0, 1))
    document = {
        "hotpass_linkage_model": 1,
        "link_type": "dedupe_only",
        "probability_two_random_records_match": float(f"{2 ** weights[0] / (1 + 2 ** weights[0]):.6g}"),
        "linker_uid": "hotpass-organizations-1",
        "blocking_rules_to_generate_predictions": RULES,
        "comparisons": list(comparisons_of(patterns, weights[1:-1], frequency_weight)),
    }
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=2)
        file.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:4])
