"""Compares xlsx cells as Hotpass reads them with those of openpyxl.

Usage: compare_openpyxl.py READ_ANY FOLDER

READ_ANY is the built example `read_any` of `hotpass-ingest`. Every xlsx and xlsm file below FOLDER that openpyxl can open is compared, cell
by cell, in the rows and columns that Hotpass read as the body of a table. Exit code 1 when a cell differs.
"""

import datetime
import json
import subprocess
import sys
import warnings
from collections import Counter
from pathlib import Path

import openpyxl
from openpyxl.cell.cell import MergedCell

warnings.simplefilter("ignore")


def text(value):
    """Writes a value of openpyxl as the contract of Hotpass's tables says; None for no value."""
    if value is None or isinstance(value, bool):
        return None if value is None else str(value).lower()
    if isinstance(value, datetime.timedelta):
        seconds = round(value.total_seconds())
        sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
        return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if isinstance(value, datetime.datetime):
        if value.microsecond >= 500_000:
            value += datetime.timedelta(seconds=1)
        value = value.replace(microsecond=0)
        is_date = (value.hour, value.minute, value.second) == (0, 0, 0)
        return value.strftime("%Y-%m-%d") if is_date else value.strftime("%Y-%m-%dT%H:%M:%S")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, datetime.time):
        return value.strftime("%H:%M:%S")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else format(value, "f") if "e" in repr(value) else repr(value)
    value = str(value)
    return value if value.strip() else None


def same(ours, theirs):
    if ours == theirs:
        return True
    # Line ends inside a cell are written in several ways; numbers may differ in how the last digit is written.
    if ours is not None and theirs is not None:
        if ours.replace("\r\n", "\n").replace("\r", "\n") == theirs.replace("\r\n", "\n").replace("\r", "\n").replace("_x000D_", "\n"):
            return True
        try:
            return abs(float(ours) - float(theirs)) <= 1e-12 * abs(float(theirs))
        except ValueError:
            return False
    return False


def compare(read_any, path, totals):
    run = subprocess.run([read_any, "--cells", str(path)], capture_output=True, check=False, timeout=120)
    ours = json.loads(run.stdout.splitlines()[0])
    try:
        workbook = openpyxl.load_workbook(path, data_only=True)
    except Exception:  # Whatever openpyxl cannot open is no peer.
        totals["files openpyxl cannot open"] += 1
        return []
    if "tables" not in ours:
        totals["files refused by Hotpass alone"] += 1
        return [f"{path.name}: {ours.get('refused', ours.get('error'))}"]
    totals["files compared"] += 1
    differences = []
    for table in ours["tables"]:
        if table["sheet"] not in workbook.sheetnames:
            totals["sheets openpyxl does not see"] += 1
            continue
        sheet = workbook[table["sheet"]]
        totals["tables compared"] += 1
        cells = {(row, column): value for row, column, value in table["cells"]}
        rows = {row for row, _ in cells}
        for row in rows:
            for column in (column["index"] for column in table["columns"]):
                cell = sheet.cell(row=row, column=column + 1)
                is_error = getattr(cell, "data_type", "") == "e"
                theirs = None if is_error or isinstance(cell, MergedCell) else text(cell.value)
                mine = cells.get((row, column))
                totals["cells"] += 1
                if same(mine, theirs):
                    totals["cells equal"] += 1
                elif mine is not None and mine == (theirs or "").strip():
                    # Without `xml:space="preserve"` the outer white space is not part of the text; openpyxl keeps it.
                    totals["cells equal but for white space that is not marked as kept"] += 1
                else:
                    differences.append(f"{path.name}#{table['sheet']}!{cell.coordinate}: {mine!r} for {theirs!r}")
        # Rows below the header that openpyxl has and Hotpass has not.
        header = table["header_row"] or 0
        spans = [column["index"] for column in table["columns"]]
        if spans and sheet.max_row < 200_000:
            for row in sheet.iter_rows(min_row=header + 1, min_col=min(spans) + 1, max_col=max(spans) + 1):
                values = [text(cell.value) for cell in row if getattr(cell, "data_type", "") != "e"]
                if any(values) and row[0].row not in rows:
                    totals["rows left out (titles, sections, repeated headers)"] += 1
    return differences


def main():
    read_any, folder = sys.argv[1], Path(sys.argv[2])
    totals, differences = Counter(), []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in {".xlsx", ".xlsm"}:
            differences += compare(read_any, path, totals)
    for name, count in sorted(totals.items()):
        print(f"{name}: {count}")
    print(f"differences: {len(differences)}")
    for difference in differences[:60]:
        print(" ", difference)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
