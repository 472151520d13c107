// The client against a server with the embedded country, whose URL is in POSTCODE_URL.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, PostcodeError } from "../dist/client.js";

const client = new Client(process.env.POSTCODE_URL);

test("lookup returns the postcode, null, or an error with the reason", async () => {
  const record = await client.lookup("sw1a1aa");
  assert.deepEqual([record.postcode, record.country, record.codes.admin_district], ["SW1A 1AA", "England", "E09000033"]);
  assert.equal(await client.lookup("SW1A 9ZZ"), null);
  await assert.rejects(client.lookup("SWIA 1AA"), (error) => {
    assert.ok(error instanceof PostcodeError);
    assert.equal(error.code, "invalid_postcode");
    assert.match(error.message, /did you mean SW1A 1AA\?/);
    return true;
  });
});

test("many come in their order over several requests", async () => {
  const texts = Array(50).fill(["SW1A 1AA", "AB1 0AA", "SW1A 9ZZ", "BT1 5GS", "nonsense"]).flat();
  const answers = await client.lookupMany(texts);
  assert.deepEqual(answers.map(({ query }) => query), texts);
  const due = ["live", "terminated", "unknown", "not_covered", "invalid"];
  assert.deepEqual(answers.slice(0, 5).map(({ status }) => status), due);
});

test("validation, completion and neighbours", async () => {
  assert.match((await client.validate("SWIA 1AA")).reason, /did you mean SW1A 1AA\?/);
  assert.deepEqual(await client.complete("SW1A1", 1), ["SW1A 1AA"]);
  const near = await client.nearest("SW1A 1AA", 1000, 3);
  assert.deepEqual([near.length, near[0].postcode, near[0].distance], [3, "SW1A 1AA", 0]);
  assert.equal((await client.nearestTo(near[0].latitude, near[0].longitude, 500, 1))[0].postcode, "SW1A 1AA");
});

test("a server that does not answer is an error to retry, and an aborted call is aborted", async () => {
  await assert.rejects(new Client("http://127.0.0.1:9").validate("x"), (error) => error.retryable === true);
  await assert.rejects(client.validate("x", AbortSignal.abort()), { name: "AbortError" });
});
