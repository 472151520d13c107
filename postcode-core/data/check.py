#!/usr/bin/env python3
"""Compare the extracted CSV with a reference join, row by row.

    check.py CSV REFERENCE        (REFERENCE may be -, for standard input)

REFERENCE has the columns pcds,status,usertype,quality,east1m,north1m,lad25cd; its Northern Ireland
rows are left out. Prints counts and the first differences; exits 1 if there is any.
"""

import csv
import re
import sys

SHOWN = 20
NORTHERN_IRELAND = re.compile(r"BT[0-9]")
USERTYPE = {"small": "0", "large": "1", "": ""}
COLUMNS = ["pcds", "status", "usertype", "osgrdind", "oseast1m", "osnrth1m", "oslaua"]


def ours(path):
    with open(path, encoding="ascii", newline="") as file:
        for row in csv.DictReader(file):
            if NORTHERN_IRELAND.match(row["pcds"]):
                sys.exit(f"Northern Ireland must not be here: {row['pcds']}")
            yield [row[name] for name in COLUMNS]


def theirs(path):
    with sys.stdin if path == "-" else open(path, encoding="ascii", newline="") as file:
        for row in csv.DictReader(file):
            if not NORTHERN_IRELAND.match(row["pcds"]):
                row["usertype"] = USERTYPE[row["usertype"]]
                names = ["pcds", "status", "usertype", "quality", "east1m", "north1m", "lad25cd"]
                yield [row[name] for name in names]


def ordered(rows):
    """The merge needs strict order, and the importer is promised it."""
    previous = ""
    for row in rows:
        if row[0] <= previous:
            sys.exit(f"out of order: {row[0]} after {previous}")
        previous = row[0]
        yield row


def main(csv_path, reference_path):
    rows = differences = 0
    counts = {}
    mine_iter, reference_iter = ordered(ours(csv_path)), ordered(theirs(reference_path))
    mine, reference = next(mine_iter, None), next(reference_iter, None)
    while mine or reference:
        rows += 1
        # Merge by postcode, so that one missing row is one difference.
        wrong, shown = [], (mine, reference)
        if reference is None or (mine and mine[0] < reference[0]):
            wrong, shown = ["not in the reference"], (mine, None)
            mine = next(mine_iter, None)
        elif mine is None or reference[0] < mine[0]:
            wrong, shown = ["missing"], (None, reference)
            reference = next(reference_iter, None)
        else:
            wrong = [name for name, a, b in zip(COLUMNS, mine, reference) if a != b]
            mine, reference = next(mine_iter, None), next(reference_iter, None)
        for name in wrong:
            counts[name] = counts.get(name, 0) + 1
        if wrong:
            differences += 1
            if differences <= SHOWN:
                print(f"{', '.join(wrong)}: {shown[0]} reference {shown[1]}")
    print(f"{rows} rows compared, {differences} differ", counts or "")
    # An empty file equals another one: that proves nothing.
    return 1 if differences or not rows else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
