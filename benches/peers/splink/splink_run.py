"""Runs the real Splink end to end: Parquet in, scored pairs and clusters out, as Parquet.

Usage: splink_run.py MODEL.json PEOPLE.parquet OUTPUT_FOLDER THREADS THRESHOLD

Prints one JSON object: seconds by stage, counts, peak memory in MB. THRESHOLD is a match probability, for pairs and clusters.
"""
import json
import pathlib
import resource
import sys
import time

import duckdb
from splink import DuckDBAPI, Linker

if __name__ == "__main__":
    model, people, folder, threads, threshold = sys.argv[1:6]
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    clock = time.perf_counter()
    connection = duckdb.connect()
    connection.execute(f"set threads = {threads}")
    api = DuckDBAPI(connection=connection)
    frame = api.register(connection.sql(f"select * exclude (cluster_id, source) from '{people}'"))
    linker = Linker(frame, model)
    read = time.perf_counter()
    pairs = linker.inference.predict(threshold_match_probability=float(threshold))
    pairs.as_duckdbpyrelation().write_parquet(str(folder / "pairs.parquet"))
    predicted = time.perf_counter()
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
        pairs, threshold_match_probability=float(threshold))
    # Only the ids: what both programs are asked for.
    clusters.as_duckdbpyrelation().select("unique_id, cluster_id").write_parquet(str(folder / "clusters.parquet"))
    clustered = time.perf_counter()
    print(json.dumps({
        "setup_seconds": read - clock,
        "predict_seconds": predicted - read,
        "cluster_seconds": clustered - predicted,
        "total_seconds": clustered - clock,
        "pairs": duckdb.sql(f"select count(*) from '{folder}/pairs.parquet'").fetchall()[0][0],
        "clusters": duckdb.sql(f"select count(distinct cluster_id) from '{folder}/clusters.parquet'").fetchall()[0][0],
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }))
