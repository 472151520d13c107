"""The module against known postcodes, and against the service if POSTCODE_URL is set."""

import json
import os
import threading
import unittest
import urllib.request

import postcode_native
from postcode_native import Dataset, enrich, is_postcode, parse, repair

DATA = postcode_native.shared()
TEXTS = ["SW1A 1AA", "ab1 0aa", "SWIA 1AA", None, "", "BT1 5GS", "ZE9 9ZZ", "nonsense"]
COLUMNS = ["status", "postcode_clean", "admin_district", "codes.admin_district", "latitude", "eastings"]


def module(name):
    try:
        return __import__(name)
    except ImportError:
        raise unittest.SkipTest(f"{name} is not installed") from None


class Values(unittest.TestCase):
    def test_parse_writes_the_usual_spelling_or_says_why_not(self):
        self.assertEqual(parse(" sw1a1aa "), "SW1A 1AA")
        with self.assertRaisesRegex(ValueError, "did you mean SW1A 1AA"):
            parse("SWIA 1AA")
        self.assertTrue(is_postcode("m11ae"))
        self.assertFalse(is_postcode("M1"))

    def test_repair_lists_its_changes(self):
        self.assertEqual(repair("SWIA OAA"), ("SW1A 0AA", [(2, "I", "1"), (5, "O", "0")]))
        self.assertEqual(repair("SW1A 0AA"), ("SW1A 0AA", []))
        with self.assertRaises(ValueError):
            repair("nonsense")


class Lookups(unittest.TestCase):
    def test_lookup_tells_live_terminated_unknown_and_not_covered_apart(self):
        live = DATA.lookup("sw1a1aa")
        self.assertEqual((live["postcode"], live["status"], live["admin_district"]), ("SW1A 1AA", "live", "Westminster"))
        self.assertEqual(DATA.lookup("AB1 0AA")["status"], "terminated")
        self.assertEqual(DATA.lookup("ZE9 9ZZ"), {"postcode": "ZE9 9ZZ", "status": "unknown"})
        self.assertEqual(DATA.lookup("BT1 5GS"), {"postcode": "BT1 5GS", "status": "not_covered"})
        self.assertEqual([one["postcode"] for one in DATA.lookup_many(["m11ae", "SW1A 1AA"])], ["M1 1AE", "SW1A 1AA"])
        with self.assertRaises(ValueError):
            DATA.lookup_many(["SW1A 1AA", "nonsense"])

    def test_completions_neighbours_and_regions(self):
        self.assertEqual(DATA.autocomplete("sw1a1a", 1), ["SW1A 1AA"])
        with self.assertRaises(ValueError):
            DATA.autocomplete("sw1a", 0)
        near = DATA.nearest("SW1A 1AA", limit=3, radius=1000)
        self.assertEqual((near[0]["postcode"], near[0]["distance"]), ("SW1A 1AA", 0.0))
        self.assertEqual(DATA.nearest(latitude=51.501, longitude=-0.1416)[0]["postcode"], "SW1A 1AA")
        with self.assertRaisesRegex(ValueError, "latitude"):
            DATA.nearest(latitude=51.5)
        with self.assertRaises(KeyError):
            DATA.nearest("ZE9 9ZZ")
        page, after = DATA.within(area="E09000033", limit=2)
        more, _ = DATA.within(area="E09000033", limit=2, after=after)
        postcodes = [one["postcode"] for one in page + more]
        self.assertEqual(postcodes, sorted(set(postcodes)))
        with self.assertRaises(KeyError):
            DATA.within(area="E09999999")
        circle, end = DATA.within(latitude=51.501, longitude=-0.1416, radius=50)
        self.assertIn("SW1A 1AA", [one["postcode"] for one in circle])
        self.assertIsNone(end)

    def test_info_has_the_edition(self):
        self.assertGreater(DATA.info["live"], 1_600_000)

    def test_file_that_is_not_there_is_an_error_with_its_name(self):
        with self.assertRaisesRegex(OSError, "nowhere.postcodes"):
            Dataset("nowhere.postcodes")

    def test_threads_share_one_dataset(self):
        wrong = []

        def ask():
            wrong.extend(one for _ in range(500) if (one := DATA.lookup("SW1A 1AA")["region"]) != "London")

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_answers_are_those_of_the_service(self):
        if not (url := os.environ.get("POSTCODE_URL")):
            self.skipTest("POSTCODE_URL is not set")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        for text in ["SW1A1AA", "M11AE", "AB101AB"]:
            with opener.open(f"{url}/postcodes/{text}?extended=true") as answer:
                self.assertEqual(DATA.lookup(text), json.load(answer)["result"], text)


class Frames(unittest.TestCase):
    def check(self, rows):
        self.assertEqual([row["status"] for row in rows],
                         ["live", "terminated", "invalid", "invalid", "invalid", "not_covered", "unknown", "invalid"])
        self.assertEqual(rows[0]["admin_district"], "Westminster")
        self.assertEqual(rows[0]["codes.admin_district"], "E09000033")
        self.assertAlmostEqual(rows[0]["latitude"], DATA.lookup("SW1A 1AA")["latitude"])
        self.assertEqual(rows[0]["eastings"], DATA.lookup("SW1A 1AA")["eastings"])
        self.assertEqual((rows[1]["postcode_clean"], rows[6]["postcode_clean"]), ("AB1 0AA", "ZE9 9ZZ"))
        self.assertIsNone(rows[7]["admin_district"])

    def test_pyarrow_table_in_chunks(self):
        pyarrow = module("pyarrow")
        for kind in (pyarrow.string(), pyarrow.large_string(), pyarrow.string_view()):
            chunks = pyarrow.chunked_array([pyarrow.array(TEXTS[:3], kind), pyarrow.array(TEXTS[3:], kind)])
            table = pyarrow.table({"n": pyarrow.chunked_array([list(range(8))]), "pc": chunks})
            done = enrich(table, "pc", COLUMNS)
            self.assertEqual(done.column_names, ["n", "pc", *COLUMNS])
            self.check(done.to_pylist())
        self.assertEqual(enrich(table, "pc", ["status"], repair=True)["status"].to_pylist()[2], "repaired")

    def test_no_column_is_copied(self):
        pyarrow = module("pyarrow")
        table = pyarrow.table({"pc": ["SW1A 1AA"] * 1000})
        done = enrich(table, "pc", ["latitude"])
        address = lambda table: table["pc"].chunk(0).buffers()[2].address  # noqa: E731
        self.assertEqual(address(done), address(table))
        # What the module makes is handed over, not copied: both views are of one buffer.
        made = DATA.columns(table["pc"], ["latitude"])
        first, second = (pyarrow.table(made)["latitude"].chunk(0).buffers()[1].address for _ in range(2))
        self.assertEqual(first, second)

    def test_polars_frame_and_lazy_expression(self):
        polars = module("polars")
        frame = polars.DataFrame({"pc": TEXTS})
        self.check(enrich(frame, "pc", COLUMNS).to_dicts())
        district = postcode_native.expression(polars.col("pc"), "admin_district")
        lazy = frame.lazy().with_columns(district=district).filter(polars.col("district") == "Westminster")
        self.assertEqual(lazy.collect()["pc"].to_list(), ["SW1A 1AA"])

    def test_pandas_frame_keeps_its_index(self):
        pandas, _ = module("pandas"), module("pyarrow")
        for kind in ("object", "string[pyarrow]"):
            frame = pandas.DataFrame({"pc": pandas.Series(TEXTS, dtype=kind)})
            frame.index = range(10, 18)
            done = enrich(frame, "pc", COLUMNS)
            self.assertEqual(list(done.index), list(range(10, 18)))
            rows = done.astype(object).where(done.notna(), None).to_dict("records")
            self.check(rows)

    def test_duckdb_functions(self):
        duckdb, _ = module("duckdb"), module("pyarrow")
        connection = duckdb.connect()
        postcode_native.duckdb_functions(connection, ["admin_district", "latitude", "codes.region"])
        query = "SELECT postcode_admin_district(pc), postcode_latitude(pc) > 51, postcode_codes_region(pc) FROM (VALUES ('sw1a1aa'), (NULL)) t(pc)"
        self.assertEqual(connection.sql(query).fetchall(), [("Westminster", True, "E12000007"), (None, None, None)])

    def test_wrong_columns_are_refused(self):
        polars = module("polars")
        frame = polars.DataFrame({"pc": TEXTS, "region": TEXTS})
        with self.assertRaisesRegex(KeyError, "no column 'postcode'"):
            enrich(frame, "postcode", ["status"])
        with self.assertRaisesRegex(ValueError, "region already"):
            enrich(frame, "pc", ["region"])
        with self.assertRaisesRegex(ValueError, "column_names"):
            enrich(frame, "pc", ["colour"])
        with self.assertRaisesRegex(TypeError, "cast"):
            enrich(polars.DataFrame({"pc": [1, 2]}), "pc", ["status"])
        with self.assertRaises(TypeError):
            enrich({"pc": ["SW1A 1AA"]}, "pc", ["status"])


if __name__ == "__main__":
    unittest.main()
