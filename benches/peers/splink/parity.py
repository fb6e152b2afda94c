"""Checks that `hotpass resolve predict` scores the models of `reference_models.py` as Splink did.

Usage: parity.py HOTPASS REFERENCE_FOLDER [CASE ...]

For each case: the same candidate pairs (also which record is the left one), the same comparison vector values, and match weights
within 1e-9 for every pair. Prints a line per case and exits with 1 if one differs.
"""
import pathlib
import subprocess
import sys

import duckdb

TOLERANCE = 1e-9


def check(hotpass, folder):
    inputs = sorted(folder.glob("input_*.parquet"))
    ours = folder / "hotpass.parquet"
    command = [hotpass, "resolve", "predict", "--model", str(folder / "model.json"), "--output-file", str(ours), "--full"]
    for path in inputs:
        command += ["--input-file", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return [f"hotpass exits with {done.returncode}: {done.stderr[-1500:]}"], 0, 0.0
    connection = duckdb.connect()
    names = [row[0] for row in connection.sql(f"describe select * from '{folder}/reference.parquet'").fetchall()]
    mine = [row[0] for row in connection.sql(f"describe select * from '{ours}'").fetchall()]
    keys = [name for name in ("source_dataset_l", "unique_id_l", "source_dataset_r", "unique_id_r") if name in names]
    problems = [f"column {name} is missing" for name in keys + ["match_weight"] if name not in mine]
    if problems:
        return problems, 0, 0.0
    equal = " and ".join(f"s.{name}::varchar = h.{name}::varchar" for name in keys)
    connection.sql(f"create view s as select * from '{folder}/reference.parquet'")
    connection.sql(f"create view h as select * from '{ours}'")
    n_reference, n_ours = (connection.sql(f"select count(*) from {view}").fetchall()[0][0] for view in "sh")
    n_both = connection.sql(f"select count(*) from s join h on {equal}").fetchall()[0][0]
    if not n_reference == n_ours == n_both:
        problems.append(f"pairs: {n_reference} by Splink, {n_ours} by Hotpass, {n_both} in both")
        sample = connection.sql(f"select {', '.join('s.' + key for key in keys)}, match_key from s anti join h on {equal} limit 3").fetchall()
        problems.append(f"  only by Splink: {sample}")
        sample = connection.sql(f"select {', '.join('h.' + key for key in keys)}, match_key from h anti join s on {equal} limit 3").fetchall()
        problems.append(f"  only by Hotpass: {sample}")
    for name in names:
        if name.startswith("gamma_") or name == "match_key":
            if name not in mine:
                problems.append(f"column {name} is missing")
                continue
            different = connection.sql(f"""select count(*) from s join h on {equal}
                where s."{name}"::varchar is distinct from h."{name}"::varchar""").fetchall()[0][0]
            if different:
                base = name.removeprefix("gamma_")
                shown = [column for column in (f"{base}_l", f"{base}_r") if column in names]
                sample = connection.sql(f"""select s."{name}", h."{name}" {"".join(f', s."{column}"' for column in shown)}
                    from s join h on {equal} where s."{name}"::varchar is distinct from h."{name}"::varchar limit 3""").fetchall()
                problems.append(f"{name}: {different} pairs differ, e.g. (Splink, Hotpass, …) {sample}")
    worst = connection.sql(f"select max(abs(s.match_weight - h.match_weight)) from s join h on {equal}").fetchall()[0][0]
    outside = connection.sql(f"""select count(*) from s join h on {equal}
        where not abs(s.match_weight - h.match_weight) <= {TOLERANCE}""").fetchall()[0][0]
    if outside:
        problems.append(f"match_weight: {outside} pairs differ by more than {TOLERANCE}, at worst {worst}")
    return problems, n_both, worst


if __name__ == "__main__":
    hotpass, reference = sys.argv[1], pathlib.Path(sys.argv[2])
    failed = False
    for folder in sorted(reference.iterdir()):
        if sys.argv[3:] and folder.name not in sys.argv[3:] or not (folder / "reference.parquet").is_file():
            continue
        problems, pairs, worst = check(hotpass, folder)
        print(f"{folder.name}: {pairs} pairs, largest difference of match weights {worst:.2e}: {'DIFFERS' if problems else 'equal'}")
        for problem in problems:
            print(f"  {problem}")
        failed |= bool(problems)
    sys.exit(failed)
