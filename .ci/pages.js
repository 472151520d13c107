// Opens the pages of both programs in a browser, and looks at each with axe-core.
//   OPERATOR_TOKEN=… READER_TOKEN=… node .ci/pages.js BROWSER SERVICE CUSTOMERS ADMIN SECURED SECURED_ADMIN [FOLDER]
"use strict";

const fs = require("node:fs");
const { look, opened } = require("./look.js");

const [browserPath, service, customers, admin, secured, securedAdmin, shots] = process.argv.slice(2);
const { OPERATOR_TOKEN: operator, READER_TOKEN: reader } = process.env;

async function made(body) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${customers}/customers`, { method: "POST", headers, body: JSON.stringify(body) });
  if (response.status !== 201) throw new Error(await response.text());
  return response.json();
}

// Accounts with a long name, several addresses and each status that the data inside can give.
async function accounts() {
  const address = (kind, postcode) => ({ kind, postcode, address_lines: ["1 High Street", "Example Town"], valid_from: "2025-12-01" });
  const ada = await made({
    name: "Ada Augusta Byron King, Countess of Lovelace", email: "ada.augusta.byron.king@mathematics.example.org",
    postcode: "SW1A 1AA", address_lines: ["Buckingham Palace", "London"], phone: "020 7946 0018", notes: "Rings twice.",
    references: [{ system: "crm", id: "4711" }], addresses: [address("billing", "M1 1AE"), address("delivery", "EH1 1YZ")],
  });
  for (const [n, postcode] of ["AB1 0AA", "BT1 5GS", "ZE9 9ZZ"].entries()) {
    await made({ name: `Customer ${n}`, email: `c${n}@example.com`, postcode, address_lines: ["1 High Street"] });
  }
  return ada.id;
}

const type = async (page, selector, text) => { await page.waitForSelector(selector); await page.type(selector, text); };
// Signs in with the keyboard alone: the field has the focus.
const signIn = async (page, token) => {
  await page.waitForSelector("#sign-in[open]");
  await page.keyboard.type(token);
  await page.keyboard.press("Enter");
};
const says = (page, selector, part) =>
  page.waitForFunction((selector, part) => document.querySelector(selector)?.textContent.includes(part), {}, selector, part);
const shown = (page, selector) => page.waitForSelector(selector, { visible: true });

// The states to look at: a name, an address, and what a person does there.
function states(id) {
  const here = (path) => `${service}${path}`, there = (path) => `${customers}${path}`;
  const list = async (page) => { await page.waitForFunction(() => document.querySelectorAll("#rows tr").length > 3); };
  return [
    ["service", here("/")],
    ["service-postcode", here("/?q=SW1A1AA")],
    ["service-terminated", here("/?q=AB1+0AA")],
    ["service-not-covered", here("/?q=BT1+5GS")],
    ["service-outcode", here("/?q=SW1A")],
    ["service-point", here("/?q=51.501,-0.1416")],
    ["service-typo", here("/?q=SWIA+1AA")],
    ["service-docs", here("/docs")],
    ["service-guide", here("/docs/guides/curl")],
    ["customers", there("/"), list],
    ["customers-sorted", there("/#/?sort=name&q=c"), list],
    ["customers-nothing", there("/#/?q=nobody"), async (page) => { await page.waitForFunction(() => document.getElementById("found").textContent); }],
    ["customers-account", there(`/#/customers/${id}`), async (page) => { await shown(page, "#map"); await page.click("#history summary"); await page.waitForSelector("#changes li"); }],
    ["customers-edit", there(`/#/customers/${id}/edit`), async (page) => { await shown(page, "#addresses-1-postcode"); await page.click("#add-address"); }],
    ["customers-errors", there("/#/new"), async (page) => {
      await type(page, "#email", "nonsense");
      await page.click("#add-address");
      await page.click("#save");
      await shown(page, "#email-error");
      await shown(page, "#addresses-0-postcode-error");
    }],
    ["customers-completions", there("/#/new"), async (page) => { await type(page, "#postcode", "SW1A1"); await shown(page, "#completions li"); }],
    ["customers-import", there("/#/import"), async (page) => {
      const file = `${process.env.HOME}/columns.csv`;
      fs.writeFileSync(file, "Kunde,E-Mail,PLZ,Anschrift,Bemerkung zum Kunden\nAda,a@example.com,M1 1AE,1 High St,Rings\n");
      await (await page.waitForSelector("#file")).uploadFile(file);
      await shown(page, "#preview select");
    }],
    ["customers-plain-list", there("/list?sort=-name")],
    ["customers-plain-error", there("/list?near=nowhere")],
    ["customers-plain-new", there("/new")],
    ["customers-plain-edit", there(`/edit/${id}`)],
    ["customers-plain-account", there(`/account/${id}`)],
    ["customers-plain-erase", there(`/account/${id}/erase`)],
    // Browsers send other headers with a form than programs do.
    ["customers-plain-sent", there("/new"), async (page) => { await page.click("button[value=add]"); await page.waitForSelector("button[value^=remove]"); }],
    ["customers-plain-import", there("/import")],
    ["customers-docs", there("/docs")],
    ["operators", admin],
    ["operators-walk", `${admin}/walk`],
    ["operators-advice", `${admin}/advice`],
    ["operators-sign-in", securedAdmin, async (page) => { await page.waitForSelector("#sign-in[open]"); }],
    ["operators-scope-missing", securedAdmin, async (page) => {
      await signIn(page, reader);
      await says(page, "#sign-in-why", "lacks the scope admin");
    }],
    ["operators-cancelled", securedAdmin, async (page) => {
      await page.waitForSelector("#sign-in[open]");
      await page.keyboard.press("Escape");
      await says(page, "#session", "Not signed in");
    }],
    ["operators-signed-in", securedAdmin, async (page) => {
      await signIn(page, "pct_nobody_0");
      await says(page, "#sign-in-why", "not valid");
      await signIn(page, operator);
      await says(page, "#state", "In stage local");
      await says(page, "#session", "Sign out");
    }],
    ["operators-walk-signed-in", `${securedAdmin}/walk`, async (page) => { await signIn(page, operator); await page.waitForSelector("#walk ol"); }],
    ["operators-advice-signed-in", `${securedAdmin}/advice`, async (page) => {
      await signIn(page, operator);
      await page.waitForSelector("#deployment button");
      // A form can't send the token either: the page that it leads to asks again for what the person wanted.
      await Promise.all([page.waitForNavigation(), page.click("#deployment button")]);
      await page.waitForSelector("#deployment button");
    }],
    ["operators-json-signed-in", `${securedAdmin}/promotion/advice`, async (page) => { await signIn(page, operator); await page.waitForSelector("pre"); }],
    ["customers-sign-in", `${secured}/`, async (page) => { await page.waitForSelector("#sign-in[open]"); }],
    ["customers-signed-in", `${secured}/`, async (page) => { await signIn(page, reader); await says(page, "#found", "There are no accounts yet"); }],
    ["customers-plain-refused", `${secured}/list`],
  ];
}

(async () => {
  const id = await accounts(), problems = [];
  const browser = await opened(browserPath);
  let looked = 0;
  for (const [name, url, act] of states(id)) {
    const page = await browser.newPage();
    page.setDefaultTimeout(300_000);
    page.on("pageerror", (error) => problems.push(`${name}: ${error.message}`));
    await page.setViewport({ width: 1280, height: 800 });
    await page.goto(url, { waitUntil: "networkidle0" });
    try {
      await act?.(page);
      looked += await look(page, name, shots, problems);
    } catch (error) {
      problems.push(`${name}: ${error.message}`);
    }
    await page.close();
  }
  await browser.close();
  if (problems.length) {
    console.error(problems.join("\n"));
    console.error(`FAILED: ${problems.length} problems of pages`);
    process.exit(1);
  }
  console.log(`ok: ${looked} views of ${states(id).length} states of pages, no violation`);
})().catch((error) => { console.error(`FAILED: ${error.stack}`); process.exit(1); });
