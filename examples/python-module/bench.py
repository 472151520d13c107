"""Measures the module and the service over HTTP in one run, with the same rows.

    python bench.py URL [ROWS]
"""

import statistics
import sys
import time

import postcode_native
from postcode_native import enrich

COLUMNS = ["status", "admin_district", "latitude", "longitude"]
ROUNDS = 5


def rows_a_second(rows: int, run) -> float:
    """The median of some rounds."""
    took = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        run()
        took.append(time.perf_counter() - begun)
    return rows / statistics.median(took)


def main(url: str, rows: int) -> None:
    import duckdb
    import pandas
    import polars
    import pyarrow
    import pyarrow.csv
    from postcode_client import Client

    data = postcode_native.shared()
    some, after = [], None
    while len(some) < 100_000:
        page, after = data.within(latitude=52.5, longitude=-1.5, radius=200_000, limit=1000, after=after)
        some += [one["postcode"] for one in page]
    texts = [some[n * 7919 % len(some)] for n in range(rows)]
    table = pyarrow.table({"pc": texts})
    frame, panda = polars.DataFrame(table), pandas.DataFrame({"pc": pandas.Series(texts, dtype="string[pyarrow]")})
    connection = duckdb.connect()
    postcode_native.duckdb_functions(connection, COLUMNS)
    calls = ", ".join(f"postcode_{name}(pc)" for name in COLUMNS)
    connection.register("rows", table)
    query = f"SELECT {calls} FROM rows"
    client = Client(url, timeout=600)
    sent = b"pc\n" + "\n".join(texts).encode() + b"\n"

    def over_http():
        answer = client.enrich_csv(sent, COLUMNS, "pc")
        assert answer.count(b"\n") >= rows

    some = texts[: min(rows, 10_000)]
    measured = {
        "enrich, PyArrow table": rows_a_second(rows, lambda: enrich(table, "pc", COLUMNS)),
        "enrich, Polars frame": rows_a_second(rows, lambda: enrich(frame, "pc", COLUMNS)),
        "enrich, pandas frame": rows_a_second(rows, lambda: enrich(panda, "pc", COLUMNS)),
        "DuckDB functions": rows_a_second(rows, lambda: connection.sql(query).to_arrow_table()),
        "lookup, one by one": rows_a_second(len(some), lambda: [data.lookup(text) for text in some]),
        "service, CSV over HTTP": rows_a_second(rows, over_http),
        "service, GET one by one": rows_a_second(500, lambda: [client.lookup(text) for text in some[:500]]),
    }
    http, one = measured["service, CSV over HTTP"], measured["service, GET one by one"]
    print(f"| {rows:,} rows, {len(COLUMNS)} columns | rows a second | ratio |\n|---|---:|---:|")
    for name, speed in measured.items():
        base = one if "one by one" in name else http
        print(f"| {name} | {speed:,.0f} | {speed / base:.1f} |")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 200_000)
