// The built module, in the folder that POSTCODE_WASM names. POSTCODE_ANSWERS names the answers of the same functions on
// this machine (examples/answers.rs); without it they are not compared.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const module = await import(pathToFileURL(resolve(process.env.POSTCODE_WASM ?? "dist", "postcode.js")));
const { addressLines, check, find, formatAddress, formatPostcode, identify, isPostcode, readAddress, repair } = module;

test("postcodes of each shape are valid in any spelling", () => {
  for (const text of ["M1 1AE", "B33 8TH", "W1A 0AX", "CR2 6XH", "DN55 1PT", "EC1A 1BB", "GIR 0AA"]) {
    for (const typed of [text, text.toLowerCase(), text.replace(" ", ""), ` "${text}",`, text.replace(" ", "-")]) {
      assert.equal(isPostcode(typed), true, typed);
      assert.equal(formatPostcode(typed), text);
      assert.equal(check(typed).postcode, text);
    }
  }
});

test("a valid postcode has its parts", () => {
  assert.deepEqual(check("sw1a1aa"), {
    valid: true, postcode: "SW1A 1AA", outcode: "SW1A", incode: "1AA", sector: "SW1A 1", unit: "AA", area: "SW",
    area_name: "South West London", district: "SW1", sub_district: "SW1A",
  });
  assert.equal(check("M1 1AE").sub_district, null);
});

test("a text that is not a postcode says why, where, and what was meant", () => {
  for (const [text, reason, at, suggestion, message] of [
    ["SW1A OAA", "digit_expected", 5, "SW1A 0AA", "the 5th character, 'O', must be a digit; did you mean SW1A 0AA?"],
    ["SWX 1AA", "digit_expected", 2, null, "the 3rd character, 'X', must be a digit"],
    ["SW1A 1A", "last_letter_missing", 7, null, "too short: the last letter of the postcode is missing"],
    ["SW1A+1AA", "character", 4, null, "the character '+' does not belong there in a whole postcode such as SW1A 1AA"],
    ["", "empty", 0, null, "there is no letter or digit in the text: give a whole postcode such as SW1A 1AA"],
  ]) {
    const answer = check(text);
    assert.deepEqual([answer.valid, answer.reason, answer.at, answer.suggestion, answer.message],
      [false, reason, at, suggestion, message], text);
    assert.equal(isPostcode(text), false);
    assert.equal(formatPostcode(text), null);
  }
  assert.deepEqual(check("sw1a").other, { kind: "outcode", code: "SW1A", territory: null });
});

test("positions are indexes of JavaScript texts", () => {
  const text = "😀 é SW1A 1AA, sw1a2aa";
  assert.deepEqual(find(text).map(({ start, end }) => text.slice(start, end)), ["SW1A 1AA", "sw1a2aa"]);
  const typed = "ＳW1A–OAA";
  assert.equal(typed[check(typed).at], "O");
  // A lone half of a pair can't be told to Rust. It is read as a character that no code has.
  const broken = "\ud83d M1 1AE";
  assert.deepEqual(find(broken).map(({ start, end }) => broken.slice(start, end)), ["M1 1AE"]);
});

test("repair returns the only reading that makes sense, with the changes", () => {
  assert.deepEqual(repair("SWIA 1AA"), { postcode: "SW1A 1AA", changes: [{ at: 2, from: "I", to: "1" }] });
  assert.deepEqual(repair("SW1A 1AA").changes, []);
  assert.equal(repair("nonsense"), null);
});

test("other codes are told apart", () => {
  const kinds = { "SW1A 1AA": "postcode", SW1A: "outcode", "SW1A 1": "sector", SW: "area", "BFPO 801": "bfpo", "FIQQ 1ZZ": "territory" };
  for (const [text, kind] of Object.entries(kinds)) assert.equal(identify(text).kind, kind);
  assert.equal(identify("GX11 1AA").territory, "Gibraltar");
  assert.equal(identify("nonsense"), null);
  assert.deepEqual(find("NW1, BFPO 57", { everything: true }).map(({ kind }) => kind), ["outcode", "bfpo"]);
  assert.deepEqual(find("NW1, BFPO 57"), []);
});

test("an address is written in each style", () => {
  const elements = { sub_building_name: "Flat 2", building_name: "Rose House 18A", thoroughfare: "Ash Road", post_town: "Exampleton", postcode: "ZZ1 1ZZ" };
  const written = formatAddress(elements);
  assert.deepEqual(written.lines, ["Flat 2", "Rose House", "18A Ash Road"]);
  assert.equal(written.single_line, "Flat 2, Rose House, 18A Ash Road, EXAMPLETON, ZZ1 1ZZ");
  assert.deepEqual(addressLines(elements, 3), ["Flat 2, Rose House, 18A Ash Road", "EXAMPLETON", "ZZ1 1ZZ"]);
  assert.equal(formatAddress(elements, "dvla").post_town, "Exampleton");
  assert.deepEqual(formatAddress(readAddress(written.single_line)).lines, written.lines);
});

test("what is not a text, an element or a style is refused with the reason", () => {
  assert.throws(() => check(null), { name: "TypeError", message: "This is not a text: null" });
  assert.throws(() => formatAddress({ uprn: "many" }), { name: "TypeError", message: 'uprn: "many" is not a whole number' });
  assert.throws(() => formatAddress({}, "none"), { message: '"none" is not a style. Styles: guide, ideal, dvla.' });
  assert.throws(() => formatAddress(), { name: "TypeError" });
});

test("the module answers as Rust does on this machine", { skip: !process.env.POSTCODE_ANSWERS }, () => {
  const lines = readFileSync(process.env.POSTCODE_ANSWERS, "utf8").trimEnd().split("\n");
  assert.ok(lines.length > 5_000, `${lines.length} answers`);
  for (const line of lines) {
    const [call, given, due] = JSON.parse(line);
    let answer;
    try {
      answer = module[call](...given);
    } catch (error) {
      answer = { throws: error.message };
    }
    assert.deepEqual(answer, due, `${call} ${JSON.stringify(given)}`);
  }
});
