"""The client against a server with the embedded country, whose URL is in POSTCODE_URL."""

import asyncio
import importlib.util
import os
import unittest

from postcode_client import AsyncClient, Client, NotFound, PostcodeError, enrich

URL = os.environ["POSTCODE_URL"]


class Lookups(unittest.TestCase):
    def setUp(self):
        self.client = Client(URL)

    def test_lookup_returns_the_postcode_or_some_of_its_keys(self):
        record = self.client.lookup("sw1a1aa")
        self.assertEqual((record["postcode"], record["country"], record["status"]), ("SW1A 1AA", "England", "live"))
        self.assertEqual(list(self.client.lookup("SW1A 1AA", ["postcode", "outcode"])), ["postcode", "outcode"])

    def test_address_without_a_scheme_is_refused_with_what_to_write(self):
        with self.assertRaisesRegex(ValueError, "write http://localhost:8000"):
            Client("localhost:8000")

    def test_lookup_of_others_raises_what_the_server_said(self):
        for text, code in [("SW1A 9ZZ", "postcode_not_found"), ("nonsense", "invalid_postcode"), ("BT1 5GS", "not_covered")]:
            with self.assertRaises(NotFound) as raised:
                self.client.lookup(text)
            self.assertEqual((raised.exception.status, raised.exception.code), (404, code))
        self.assertFalse(raised.exception.retryable)

    def test_many_come_in_their_order_over_several_requests(self):
        texts = ["SW1A 1AA", "AB1 0AA", "SW1A 9ZZ", "BT1 5GS", "nonsense"] * 50
        answers = list(self.client.lookup_many(texts, ["postcode"]))
        self.assertEqual([answer.query for answer in answers], texts)
        statuses = ["live", "terminated", "unknown", "not_covered", "invalid"]
        self.assertEqual([answer.status for answer in answers], statuses * 50)
        self.assertEqual(answers[0].record, {"postcode": "SW1A 1AA"})
        self.assertIsNone(answers[2].record)

    def test_validation_says_what_was_meant(self):
        verdict = self.client.validate("SWIA 1AA")
        self.assertFalse(verdict.valid)
        self.assertIn("did you mean SW1A 1AA?", verdict.reason)
        self.assertTrue(self.client.validate("SW1A 1AA").valid)

    def test_completion_and_neighbours(self):
        self.assertEqual(self.client.complete("SW1A1", 1), ["SW1A 1AA"])
        near = self.client.nearest("SW1A 1AA", radius=1000, limit=3)
        self.assertEqual((len(near), near[0]["postcode"], near[0]["distance"]), (3, "SW1A 1AA", 0))
        there = self.client.nearest_to(near[0]["latitude"], near[0]["longitude"], limit=1)
        self.assertEqual(there[0]["postcode"], "SW1A 1AA")

    def test_text_in_a_path_can_not_become_another_path(self):
        for text in ["../ping", "SW1A 1AA/nearest", "a?b=c", "é"]:
            with self.assertRaises(NotFound):
                self.client.lookup(text)

    def test_server_that_does_not_answer_is_an_error_to_retry(self):
        with self.assertRaises(PostcodeError) as raised:
            Client("http://127.0.0.1:9").info()
        self.assertTrue(raised.exception.retryable)


class Asynchronous(unittest.IsolatedAsyncioTestCase):
    async def test_many_at_once_come_in_their_order(self):
        client = AsyncClient(URL)
        texts = ["SW1A 1AA", "M1 1AE", "nonsense"] * 200
        answers = await client.lookup_many(texts)
        self.assertEqual([answer.query for answer in answers], texts)
        one, verdict = await asyncio.gather(client.lookup("M1 1AE"), client.validate("x"))
        self.assertEqual((one["postcode"], verdict.status), ("M1 1AE", "invalid"))


class Frames(unittest.TestCase):
    rows = {"name": ["Ada", "Bob", "Cy", "Di"], "postcode": ["SW1A 1AA", None, "AB1 0AA", "sw1a1aa"]}
    due = {"country": ["England", None, "Scotland", "England"], "status": ["live", "invalid", "terminated", "live"]}

    @unittest.skipUnless(importlib.util.find_spec("pandas"), "pandas is not installed")
    def test_pandas_keeps_index_and_rows(self):
        import pandas

        frame = pandas.DataFrame(self.rows, index=[7, 5, 3, 1])
        made = enrich(Client(URL), frame, "postcode", ["country", "status"])
        self.assertEqual(list(made.index), [7, 5, 3, 1])
        for name, due in self.due.items():
            self.assertEqual([None if pandas.isna(cell) else cell for cell in made[name]], due)
        self.assertNotIn("country", frame.columns)

    @unittest.skipUnless(importlib.util.find_spec("polars"), "polars is not installed")
    def test_polars_gets_columns_of_texts(self):
        import polars

        made = enrich(Client(URL), polars.DataFrame(self.rows), "postcode", ["country", "status"])
        for name, due in self.due.items():
            self.assertEqual(made[name].to_list(), due)

    def test_column_that_is_there_already_is_not_overwritten(self):
        class Frame:
            columns = ["postcode", "country"]

        with self.assertRaisesRegex(ValueError, "country"):
            enrich(Client(URL), Frame(), "postcode", ["country"])


if __name__ == "__main__":
    unittest.main()
