#!/usr/bin/env python3
"""Compare the country that extract.py leaves, row by row, with its sources or with a reference join.

    check.py COUNTRY_DIR WHEELS_DIR       the wards, census areas, dates and terminations with the packages
    check.py COUNTRY_DIR REFERENCE.csv    the base columns with a join made by others (- for standard input)
    check.py --sum COUNTRY_DIR            only print the sum of the files

The sources are read again, one after the other, without extract.py's code for joining them.
REFERENCE has the columns pcds,status,usertype,quality,east1m,north1m,lad25cd; its Northern Ireland
rows are left out. Prints counts and the first differences; exits 1 if there is any.
"""

import csv
import gc
import hashlib
import re
import sys
from collections import Counter
from pathlib import Path

SHOWN = 20
NORTHERN_IRELAND = re.compile(r"BT[0-9]")
USERTYPE = {"small": "0", "large": "1", "": ""}


def rows(folder, names):
    """These columns of the rows, and pcds, in strict order: the importer is promised it."""
    import sources

    previous = ""
    with open(Path(folder) / "Data" / "country.csv", encoding="ascii", newline="") as file:
        for row in sources.dicts(file, ["pcds", *names.split()]):
            postcode = row["pcds"]
            if NORTHERN_IRELAND.match(postcode):
                sys.exit(f"Northern Ireland must not be here: {postcode}")
            if postcode <= previous:
                sys.exit(f"out of order: {postcode} after {previous}")
            previous = postcode
            yield row


class Comparison:
    def __init__(self):
        self.compared, self.wrong = Counter(), Counter()

    def equal(self, what, postcode, ours, theirs):
        self.compared[what] += 1
        if ours != theirs:
            self.wrong[what] += 1
            if self.wrong[what] <= SHOWN:
                print(f"{what}: {postcode} has {ours!r}, the source {theirs!r}")

    def end(self, needed):
        for what in sorted(self.compared):
            print(f"{what}: {self.compared[what]} compared, {self.wrong[what]} differ")
        # Nothing compared proves nothing.
        missing = [what for what in needed if not self.compared[what]]
        for what in missing:
            print(f"{what}: nothing was compared")
        return 1 if missing or sum(self.wrong.values()) else 0


def with_reference(folder, path):
    comparison = Comparison()
    with sys.stdin if path == "-" else open(path, encoding="ascii", newline="") as file:
        theirs = {row["pcds"]: row for row in csv.DictReader(file) if not NORTHERN_IRELAND.match(row["pcds"])}
    for row in rows(folder, "oseast1m osnrth1m oslaua usertype"):
        other = theirs.pop(row["pcds"], None)
        comparison.equal("rows", row["pcds"], True, other is not None)
        if other is None:
            continue
        # Status and quality are newer here; with-the-sources compares those.
        for name, reference in [("oseast1m", "east1m"), ("osnrth1m", "north1m"), ("oslaua", "lad25cd")]:
            comparison.equal(name, row["pcds"], row[name], other[reference])
        comparison.equal("usertype", row["pcds"], row["usertype"], USERTYPE[other["usertype"]])
    for postcode in theirs:
        comparison.equal("rows", postcode, False, True)
    return comparison.end(["rows", "oslaua"])


def with_sources(folder, wheels):
    import sources

    wheels, comparison = Path(wheels), Comparison()
    names = "status dointr doterm oslaua osward oscty oshlthau sicbl lsoa11 msoa11 lsoa21 msoa21 oseast1m osnrth1m osgrdind"
    country = {row["pcds"]: row for row in rows(folder, names)}

    live = sources.live_2024(wheels)
    listed = sources.code_point_open_2025(wheels)
    for postcode, (quality, east, north, _, _, health, county, district, ward) in listed.items():
        row = country[postcode]
        comparison.equal("live in Code-Point Open", postcode, row["status"], "live")
        if (row["oseast1m"], row["osnrth1m"]) == (east, north):
            comparison.equal("quality", postcode, row["osgrdind"], str(int(quality) // 10))
        # Two councils were given new codes, and nothing else was changed.
        district = {"E08000016": "E08000038", "E08000019": "E08000039"}.get(district, district)
        if row["oslaua"] == district:
            comparison.equal("ward", postcode, row["osward"], ward)
            # A place at sea, or one that has moved across a border, is of no county or another one in the source.
            if county and row["oscty"]:
                comparison.equal("county", postcode, row["oscty"], county)
            if health[:1] == district[:1]:
                comparison.equal("health authority", postcode, row["oshlthau"], health)
    for postcode, row in country.items():
        if row["oslaua"][:1] in ("E", "S", "W") and row["oseast1m"] and postcode in live and postcode not in listed:
            comparison.equal("terminated since February 2024", postcode, row["status"], "terminated")

    by_lsoa, _ = sources.health_2023(wheels)
    for theirs in sources.lookup_2022(wheels):
        postcode = theirs["pcds"]
        row = country.get(postcode)
        if row is None:  # In the lookup of 2022, and in no later directory.
            comparison.compared["only in the lookup of 2022"] += 1
            continue
        if theirs["doterm"] and row["status"] == "live":
            comparison.equal("dates of reused", postcode, (row["dointr"], row["doterm"]), ("", ""))
            continue
        comparison.equal("date of introduction", postcode, row["dointr"], theirs["dointr"])
        comparison.equal("date of termination", postcode, row["doterm"], theirs["doterm"])
        if row["lsoa11"] and theirs["lsoa11cd"]:
            comparison.equal("LSOA and MSOA of 2011", postcode, (row["lsoa11"], row["msoa11"]), (theirs["lsoa11cd"], theirs["msoa11cd"]))
            if row["lsoa11"][0] in "EW":
                comparison.equal("NHS area", postcode, row["sicbl"], by_lsoa[row["lsoa11"]])

    # A place lies in one output area of Scotland, and that in one data zone: the zones' bounding boxes.
    zones, lines = sources.scotland_2022(wheels)
    import polygons

    boxes = {}
    for code, rings in polygons.features(lines):
        for x, y in (point for ring in rings for point in ring):
            west, south, east, north = boxes.get(zones[code], (x, y, x, y))
            boxes[zones[code]] = min(west, x), min(south, y), max(east, x), max(north, y)
    for postcode, row in country.items():
        if row["oslaua"][:1] != "S" or not row["oseast1m"]:
            continue
        west, south, east, north = boxes.get((row["lsoa21"], row["msoa21"]), (0, 0, 0, 0))
        inside = west <= int(row["oseast1m"]) <= east and south <= int(row["osnrth1m"]) <= north
        comparison.equal("data zone of 2022", postcode, inside, True)
    return comparison.end(["ward", "LSOA and MSOA of 2011", "date of introduction", "date of termination", "data zone of 2022"])


def total(folder):
    digest = hashlib.sha256()
    for path in sorted(Path(folder).rglob("*.csv")):
        digest.update(path.name.encode())
        with open(path, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


if __name__ == "__main__":
    # Millions of rows stay until the end, and none of them is in a reference cycle.
    gc.disable()
    match sys.argv[1:]:
        case ["--sum", folder]:
            print(total(folder))
        case [folder, other]:
            sys.exit(with_sources(folder, other) if Path(other).is_dir() else with_reference(folder, other))
        case _:
            sys.exit(__doc__)
