"""A job of PySpark: adds columns by postcode to a partitioned Parquet data set, on a cluster of two workers.

    python spark_job.py ROWS
"""

import random
import sys
import tempfile
import time
from pathlib import Path

import pyarrow
import pyarrow.parquet
from pyspark.sql import SparkSession

import postcode_native
from postcode_native import enrich_batches

COLUMNS = ["status", "admin_district", "latitude", "longitude"]
SCHEMA = "id long, postcode string, status string, admin_district string, latitude double, longitude double"
PARTS = 8


def main(rows: int) -> None:
    data = postcode_native.shared()
    some = [one["postcode"] for one in data.within(latitude=51.5, longitude=-0.12, radius=20000, limit=1000)[0]]
    pick = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder, "source"), Path(folder, "result")
        source.mkdir()
        for part in range(PARTS):
            ids = list(range(part, rows, PARTS))
            texts = [pick.choice(some) if id % 10 else "nonsense" for id in ids]
            pyarrow.parquet.write_table(pyarrow.table({"id": ids, "postcode": texts}), source / f"{part}.parquet")
        # A standalone cluster of two workers on this machine, each with one core and its own processes.
        spark = (
            SparkSession.builder.master("local-cluster[2,1,1024]")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.executor.memory", "512m")
            .getOrCreate()
        )
        spark.sparkContext.setLogLevel("ERROR")
        begun = time.perf_counter()
        spark.read.parquet(str(source)).mapInArrow(enrich_batches("postcode", COLUMNS), SCHEMA).write.parquet(str(result))
        took = time.perf_counter() - begun
        done = pyarrow.parquet.read_table(result).sort_by("id")
        spark.stop()
    assert done.num_rows == rows, f"{done.num_rows} rows of {rows}"
    assert done["id"].to_pylist() == list(range(rows)), "a row is missing or twice"
    invalid = sum(1 for status in done["status"].to_pylist() if status == "invalid")
    assert invalid == len(range(0, rows, 10)), f"{invalid} rows are invalid"
    expected = postcode_native.enrich(done.select(["postcode"]), "postcode", COLUMNS)
    assert expected.select(COLUMNS).equals(done.select(COLUMNS)), "the job's columns differ from those of one process"
    print(f"ok: PySpark, {rows:,} rows on two workers: {rows / took:,.0f} rows a second, the start of the executors included")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
