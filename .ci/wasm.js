// Drives the page of examples/wasm-module as a person does, and looks at each state with axe-core.
//   node .ci/wasm.js BROWSER FOLDER [SCREENSHOTS]
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { look, opened } = require("./look.js");

const [browserPath, folder, shots] = process.argv.slice(2);
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm" };

const server = http.createServer((request, response) => {
  const file = path.join(folder, path.basename(new URL(request.url, "http://page").pathname) || "index.html");
  if (!fs.existsSync(file)) return response.writeHead(404).end();
  response.writeHead(200, { "content-type": TYPES[path.extname(file)] ?? "text/plain" }).end(fs.readFileSync(file));
});

const read = (page) => page.evaluate(() => {
  const text = (id) => { const element = document.getElementById(id); return element.hidden ? "" : element.textContent; };
  return {
    value: document.getElementById("postcode").value, error: text("postcode-error"), use: text("use"), said: text("postcode-said"),
    invalid: document.getElementById("postcode").getAttribute("aria-invalid"), envelope: text("envelope"), checked: text("checked"),
    focus: document.activeElement.id,
  };
});

// Each state: a name, what a person does with the keyboard, and what is then to be seen.
const STATES = [
  ["empty", async () => {}, { error: "", envelope: "Enter an address to see it here." }],
  ["typing", async ({ keyboard }) => { await keyboard.press("Tab"); await keyboard.type("sw1a1a"); }, { focus: "postcode", error: "", invalid: null }],
  ["valid", async ({ keyboard }) => { await keyboard.type("a"); }, { value: "sw1a1aa", said: "SW1A 1AA: South West London", error: "" }],
  ["formatted", async ({ keyboard }) => { await keyboard.press("Tab"); }, { value: "SW1A 1AA", focus: "address" }],
  ["address", async ({ keyboard }) => { await keyboard.type("Flat 2, Rose House, 18 Ash Road, EXAMPLETON"); }, { envelope: "Flat 2\nRose House\n18 Ash Road\nEXAMPLETON\nSW1A 1AA" }],
  ["wrong", async (page) => { await page.focus("#postcode"); await page.$eval("#postcode", (field) => field.select()); await page.keyboard.type("SWX 1AA"); await page.keyboard.press("Tab"); },
    { error: "Error: The 3rd character, 'X', must be a digit", invalid: "true" }],
  ["meant", async (page) => { await page.focus("#postcode"); await page.$eval("#postcode", (field) => field.select()); await page.keyboard.type("SWIA 1AA"); },
    { use: "Use SW1A 1AA", error: "Error: The 3rd character, 'I', must be a digit; did you mean SW1A 1AA?" }],
  ["mended", async ({ keyboard }) => { await keyboard.press("Tab"); await keyboard.press("Enter"); }, { value: "SW1A 1AA", error: "", invalid: null, use: "", focus: "postcode" }],
  ["checked", async ({ keyboard }) => { await keyboard.press("Enter"); }, { checked: "This is what would be sent: Flat 2, Rose House, 18 Ash Road, EXAMPLETON, SW1A 1AA" }],
  ["refused", async (page) => { await page.$eval("#postcode", (field) => { field.value = ""; }); await page.keyboard.press("Enter"); },
    { error: "Error: Enter a postcode, such as SW1A 1AA", checked: "", focus: "postcode" }],
];

(async () => {
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const home = `http://127.0.0.1:${server.address().port}`;
  const browser = await opened(browserPath);
  const problems = [];
  let looked = 0;
  const page = await browser.newPage();
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => { if (message.type() === "error") problems.push(message.text()); });
  page.on("request", (request) => { if (!request.url().startsWith(home) && !request.url().startsWith("data:")) problems.push(`a request to ${request.url()}`); });
  await page.setViewport({ width: 1280, height: 800 });
  await page.goto(`${home}/`, { waitUntil: "networkidle0" });
  for (const [name, act, due] of STATES) {
    await act(page);
    const seen = await read(page);
    for (const key of Object.keys(due)) {
      try { assert.deepEqual(seen[key], due[key]); } catch { problems.push(`${name}: ${key} is ${JSON.stringify(seen[key])}, not ${JSON.stringify(due[key])}`); }
    }
    looked += await look(page, `wasm-${name}`, shots, problems);
  }
  await browser.close();
  server.close();
  if (problems.length) {
    console.error(`${problems.join("\n")}\nFAILED: ${problems.length} problems of the page`);
    process.exit(1);
  }
  console.log(`ok: ${looked} views of ${STATES.length} states of the page, no violation, no request elsewhere`);
})().catch((error) => { console.error(`FAILED: ${error.stack}`); process.exit(1); });
