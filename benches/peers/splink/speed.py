"""Times Hotpass and the real Splink side by side: Parquet in, scored pairs and clusters out, same model, rules, threads, threshold.

Usage: speed.py HOTPASS PYTHON_WITH_SPLINK MODEL.json PEOPLE.parquet [--threads 2] [--threshold 0.9] [--rounds 3]

The two take turns; each figure is the median over the rounds. Memory is the peak of the whole process.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent


def timed(command):
    with tempfile.NamedTemporaryFile() as peak:
        clock = time.perf_counter()
        done = subprocess.run(["/usr/bin/time", "-f", "%M %U %S", "-o", peak.name, *command], capture_output=True, text=True)
        seconds = time.perf_counter() - clock
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)} exits with {done.returncode}\n{done.stderr[-3000:]}")
        memory, user, system = pathlib.Path(peak.name).read_text().split()[-3:]
    return {"seconds": seconds, "megabytes": int(memory) / 1024, "cpu_seconds": float(user) + float(system), "stdout": done.stdout}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("hotpass")
    parser.add_argument("python")
    parser.add_argument("model")
    parser.add_argument("people")
    parser.add_argument("--threads", default="2")
    parser.add_argument("--threshold", default="0.9")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    results = {"splink": [], "hotpass": []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(arguments.rounds):
            splink = timed([arguments.python, str(HERE / "splink_run.py"), arguments.model, arguments.people, f"{folder}/splink",
                            arguments.threads, arguments.threshold])
            splink.update(json.loads(splink.pop("stdout").strip().splitlines()[-1]))
            results["splink"].append(splink)
            hotpass = timed([arguments.hotpass, "resolve", "predict", "--model", arguments.model, "--input-file", arguments.people,
                             "--output-file", f"{folder}/pairs.parquet", "--clusters", f"{folder}/clusters.parquet",
                             "--threshold", arguments.threshold, "--threads", arguments.threads])
            results["hotpass"].append(hotpass)
    medians = {}
    for name, runs in results.items():
        medians[name] = {key: statistics.median(run[key] for run in runs) for key in ("seconds", "megabytes", "cpu_seconds")}
        print(name, medians[name])
    print("stages of Splink:", {key: statistics.median(run[key] for run in results["splink"])
                                for key in ("setup_seconds", "predict_seconds", "cluster_seconds", "total_seconds", "pairs", "clusters")})
    print("Hotpass says:", " / ".join(results["hotpass"][-1]["stdout"].split("\n")[:3]))
    print(f"end to end: {medians['splink']['seconds'] / medians['hotpass']['seconds']:.1f} times as fast, "
          f"{medians['hotpass']['megabytes'] / medians['splink']['megabytes']:.2f} of the memory")


if __name__ == "__main__":
    main()
