#!/usr/bin/env python3
"""`enrich` of a million rows, and the same by a join in DuckDB, in one run: CSV, and Parquet if the program reads it.

    pip install duckdb
    benches/enrich_against_duckdb.py PROGRAM [ROWS] [SOURCE]

PROGRAM is a postcode-service, SOURCE its data: file:PATH, or embedded: (usual), which it has to unpack first. Both read the same file of rows, add the same six columns, and write a file of the same form.
DuckDB joins with a table in a database file, which holds what the program has; the time to make it does not count. Of each
the best of three runs counts, with its processor time and its peak memory.
"""

import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

COLUMNS = "status,admin_district,region,country,latitude,longitude"
JOIN = """
import duckdb, sys
db = duckdb.connect(sys.argv[1], read_only=True)
read, write = ("read_csv(?)", "") if sys.argv[2].endswith(".csv") else ("read_parquet(?)", "(FORMAT parquet)")
key = "upper(replace(r.postcode, ' ', ''))"
db.execute(f"COPY (SELECT r.*, coalesce(p.status, 'unknown') AS status, p.admin_district, p.region, p.country, p.latitude, "
           f"p.longitude FROM {read} r LEFT JOIN postcodes p ON p.key = {key}) TO '{sys.argv[3]}' {write}", [sys.argv[2]])
"""


def run(command):
    """Wall time, processor time and peak memory of the best of three."""
    best = None
    for _ in range(3):
        before = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - before
        if status:
            sys.exit(f"{command}: {said.decode()}")
        found = (seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
        best = min(best or found, found)
    return best


def prepare(program, rows, source, folder):
    """Makes the files and the database."""
    import duckdb

    folder = pathlib.Path(folder)
    everything, table, database = folder / "all.csv", folder / "rows.csv", folder / "postcodes.db"
    subprocess.run(
        [program, "export", source, "--columns", f"postcode,{COLUMNS}", "--out", everything],
        check=True, stderr=subprocess.DEVNULL,
    )
    db = duckdb.connect(str(database))
    # Said, because the first cell in quotes is beyond the rows by which DuckDB finds out.
    read = f"read_csv('{everything}', quote='\"')"
    db.execute(f"CREATE TABLE postcodes AS SELECT upper(replace(postcode, ' ', '')) AS key, * FROM {read}")
    codes = [code for (code,) in db.execute("SELECT postcode FROM postcodes ORDER BY key").fetchall()]
    db.close()
    draw = random.Random(1)
    with open(table, "w", encoding="utf-8") as file:
        file.write("id,name,postcode,amount\n")
        for n in range(int(rows)):
            file.write(f'{n},"Customer, {n}",{draw.choice(codes)},{draw.randrange(100000) / 100}\n')
    duckdb.execute(f"COPY (SELECT * FROM read_csv('{table}')) TO '{folder / 'rows.parquet'}' (FORMAT parquet)")
    print(f"{rows} rows of {source}, {os.cpu_count()} cores, DuckDB {duckdb.__version__}; load {os.getloadavg()[0]:.1f}")


def main(program, rows="1000000", source="embedded:"):
    with tempfile.TemporaryDirectory() as folder:
        # In another process: the peak memory of a child counts from what its parent has.
        subprocess.run([sys.executable, __file__, "prepare", program, rows, source, folder], check=True)
        folder = pathlib.Path(folder)
        print("| | wall | processor | peak memory |\n|---|---|---|---|")
        for file in [folder / "rows.csv", folder / "rows.parquet"]:
            out = folder / f"out{file.suffix}"
            join = run([sys.executable, "-c", JOIN, folder / "postcodes.db", file, out])
            enrich = [program, "enrich", file, "--source", source, "--columns", COLUMNS, "--out", out]
            if file.suffix == ".parquet" and subprocess.run(enrich, capture_output=True).returncode:
                print("| Parquet: a program without the feature columnar | | | |")
                continue
            ours = run(enrich)
            for name, (wall, processor, memory) in [("DuckDB's join", join), ("enrich", ours)]:
                print(f"| {file.suffix[1:]}: {name} | {wall:.2f} s | {processor:.2f} s | {memory:.0f} MiB |")
            print(f"| {file.suffix[1:]}: ratio | {join[0] / ours[0]:.2f} | {join[1] / ours[1]:.2f} | |", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if sys.argv[1] == "prepare":
        prepare(*sys.argv[2:])
    else:
        main(*sys.argv[1:])
