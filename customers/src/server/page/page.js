"use strict";

const $ = (id) => document.getElementById(id);
const make = (tag, text, className) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
};
const RADII = [100, 250, 500, 1000, 2000, 5000];
const MEANS = {
  verified: "",
  pending: "because the lookup did not answer; it is checked again soon",
  not_covered: "because the data has no postcodes of this area",
  terminated: "(the district and the location are those it had)",
  unknown: "(the data has no such postcode)",
};

// Follows the number of an address.
const LISTED = {
  pending: ", not checked yet",
  listed: "",
  other_postcode: ", which has another postcode now",
  not_listed: ", which the address data does not have any more",
  not_covered: ", in an area that the address data leaves out",
};
const idText = (id) => id.replace(/^([a-z]+):/, (_, kind) => `${kind.toUpperCase()} `);

// Sends a request. Throws the server's message if it answers with an error.
async function ask(path, options = {}) {
  let response;
  try {
    response = await signIn.request(path, { signal: AbortSignal.timeout(15000), ...options });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw Object.assign(new Error("The server does not answer. Nothing is lost: try again."), { network: true });
  }
  const text = await response.text();
  let body;
  try { body = text ? JSON.parse(text) : null; } catch { body = null; }
  if (!response.ok) throw Object.assign(new Error(body?.detail ?? `the server answered ${response.status}`), { status: response.status, body });
  return { body, etag: response.headers.get("etag") };
}

async function download(path, name) {
  const response = await signIn.request(path);
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const link = make("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

function say(text) { $("message").textContent = text; }

// Returns whether the text has the form of a whole postcode.
function whole(text) { return /^([A-Z]{1,2}[0-9][A-Z0-9]?|[A-Z]{3,4})[0-9][A-Z]{2}$/i.test(text.replaceAll(" ", "")); }

// ── The list

let listing = 0;
let cursor = null;

// The answer with the total.
let total = null;
function counted(shown, filtered) {
  if (shown === 0) return filtered ? "No account matches." : "There are no accounts yet.";
  const count = (number) => number.toLocaleString("en-GB");
  const all = `${total.total_exact ? "" : "more than "}${count(total.total)} ${total.total === 1 ? "account" : "accounts"}`;
  return cursor ? `${count(shown)} of ${all}` : all[0].toUpperCase() + all.slice(1);
}

// The headings show the order, and change it.
function showOrder() {
  const sort = $("search").elements.sort.value;
  for (const heading of $("columns").querySelectorAll("[data-sort]")) {
    const name = heading.dataset.sort;
    if (sort === name) heading.setAttribute("aria-sort", "ascending");
    else if (sort === `-${name}`) heading.setAttribute("aria-sort", "descending");
    else heading.removeAttribute("aria-sort");
  }
}
$("columns").addEventListener("click", (event) => {
  const name = event.target.closest("[data-sort]")?.dataset.sort;
  if (!name || event.target.tagName !== "BUTTON") return;
  const sort = $("search").elements.sort;
  sort.value = sort.value === name ? `-${name}` : name;
  remember();
});

let unfinished = false;
function question() {
  const asked = new URLSearchParams();
  for (const [name, value] of new FormData($("search"))) if (value.trim()) asked.set(name, value.trim());
  // An incomplete postcode is still being typed, and would be refused.
  unfinished = asked.has("near") && !whole(asked.get("near"));
  if (unfinished) asked.delete("near");
  // A radius needs a postcode.
  if (!asked.has("near")) asked.delete("radius");
  return asked;
}

async function list(more) {
  const number = ++listing;
  showOrder();
  const asked = question();
  const filtered = [...asked.keys()].some((name) => name !== "sort");
  // A total is the same on all pages.
  if (!more) asked.set("total", "true");
  if (more && cursor) asked.set("cursor", cursor);
  try {
    const { body } = await ask(`customers?${asked}`);
    if (number !== listing) return;
    say("");
    const rows = body.items.map(row);
    if (more) $("rows").append(...rows); else $("rows").replaceChildren(...rows);
    cursor = body.next_cursor;
    $("more").hidden = !cursor;
    if (!more) total = body;
    $("found").textContent = counted($("rows").childElementCount, filtered);
    if (unfinished) $("found").textContent += ". “Near” needs a whole postcode, such as SW1A 1AA.";
  } catch (error) {
    if (number === listing) say(error.message);
  }
}

const SHORT = { verified: "in use", pending: "not checked yet", not_covered: "not covered", terminated: "no longer in use", unknown: "unknown" };
function status(value) { return make("span", SHORT[value] ?? value, `status ${value}`); }

function row(customer) {
  const tr = make("tr"), name = make("td"), state = make("td"), link = make("a", customer.name);
  link.href = `#/customers/${customer.id}`;
  name.append(link);
  state.append(status(customer.address_status));
  tr.append(name, make("td", customer.email), make("td", customer.postcode), make("td", customer.admin_district ?? ""), state);
  return tr;
}

// The filters are in the address, so that a reload or a link shows the same accounts.
function remember() {
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData($("search"))) if (value.trim() && !(name === "radius" && value === "5000")) fields.set(name, value.trim());
  history.replaceState(null, "", fields.size ? `#/?${fields}` : "#/");
  at = location.hash;
  list(false);
}

function restore(text) {
  const fields = new URLSearchParams(text ?? "");
  $("search").reset();
  for (const [name, value] of fields) {
    const field = $("search").elements.namedItem(name);
    if (field?.type === "checkbox") field.checked = value === "true";
    else if (field) field.value = value;
  }
}

let typing;
$("search").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(remember, 150); });
$("search").addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(typing); remember(); });
$("more").addEventListener("click", () => list(true));

// ── One account

let shown = null;
let radius = 500;
let seeing = 0;

async function account(id) {
  const number = ++seeing;
  try {
    const { body, etag } = await one(id);
    if (number !== seeing) return;
    draw(body, etag);
    show("account");
    const deleted = Boolean(body.deleted_at);
    for (const name of ["edit", "delete"]) $(name).hidden = deleted;
    for (const name of ["restore", "erase"]) $(name).hidden = !deleted;
    $("export").href = `customers/${body.id}/export`;
    $("edit").href = `#/customers/${body.id}/edit`;
    $("history").open = false;
    $("changes").replaceChildren();
    focusOn("account-title");
    map(body.postcode);
    follow(id, number);
  } catch (error) {
    if (number !== seeing) return;
    show("list");
    say(error.message);
  }
}

// A deleted account is read by its export, which has the same customer.
async function one(id) {
  const path = `customers/${encodeURIComponent(id)}`;
  try {
    return await ask(path);
  } catch (error) {
    if (error.status !== 404) throw error;
    const { body } = await ask(`${path}/export`).catch(() => { throw error; });
    return { body: body.customer, etag: `"${body.revision}"` };
  }
}

function draw(customer, etag) {
  shown = { customer, etag };
  $("account-title").textContent = customer.name;
  $("facts").replaceChildren(...facts(customer));
}

// Pending addresses are resolved soon, so redraw their facts when they change, and nothing else.
function follow(id, number) {
  if (shown.customer.address_status !== "pending" || shown.customer.deleted_at) return;
  setTimeout(async () => {
    if (number !== seeing) return;
    try {
      const { body, etag } = await ask(`customers/${encodeURIComponent(id)}`);
      if (number !== seeing) return;
      if (etag !== shown.etag) draw(body, etag);
    } catch {
      // Asked again.
    }
    if (number === seeing) follow(id, number);
  }, 3000);
}

// A number as people say it: of the United Kingdom without its country code, and in groups.
function spoken(phone) {
  const found = /^\+44(20|1[0-9]1|11[0-9]|[0-9]{4})([0-9]+)$/.exec(phone ?? "");
  if (!found) return phone;
  const [, area, rest] = found;
  return area.length > 3 ? `0${area} ${rest}` : `0${area} ${rest.slice(0, rest.length - 4)} ${rest.slice(-4)}`;
}

function facts(customer) {
  const address = [...customer.address_lines, customer.postcode].join("\n");
  const also = (customer.addresses ?? []).slice(1).map((other) =>
    [other.kind[0].toUpperCase() + other.kind.slice(1), [...other.address_lines, other.postcode].join("\n")]);
  const pairs = [
    ["Email", customer.email],
    ["Phone", spoken(customer.phone)],
    ["Address", address],
    ["Listed as", customer.address_id ? `${idText(customer.address_id)}${LISTED[customer.address_id_status] ?? ""}` : null],
    ["Postcode", status(customer.address_status), ` ${MEANS[customer.address_status]}`],
    ["District", customer.admin_district],
    ["Region", [customer.region, customer.country].filter(Boolean).join(", ")],
    ["Location", customer.latitude == null ? null : `${customer.latitude.toFixed(5)}, ${customer.longitude.toFixed(5)}`],
    ...also,
    ...(customer.references ?? []).map(({ system, id }) => [`In ${system}`, id]),
    ["Notes", customer.notes],
    ["Deleted", customer.deleted_at && new Date(customer.deleted_at).toLocaleString("en-GB", { dateStyle: "long", timeStyle: "short" })],
    ["Since", new Date(customer.created_at).toLocaleDateString("en-GB", { dateStyle: "long" })],
  ];
  return pairs.filter(([, value]) => value).flatMap(([name, ...values]) => {
    const dd = make("dd");
    dd.append(...values);
    return [make("dt", name), dd];
  });
}

let mapping = 0;
async function map(postcode) {
  const number = ++mapping;
  try {
    const { body } = await ask(`postcodes/${encodeURIComponent(postcode)}/map?radius=${radius}`);
    if (number !== mapping) return;
    $("map-drawing").replaceChildren(drawMap(body));
    $("map-said").textContent = `${body.around.length.toLocaleString("en-GB")} postcodes within ${body.radius} m`;
    $("attribution").textContent = body.attribution;
    // A crowded map is narrowed, and a larger radius would show the same.
    $("farther").disabled = radius >= RADII.at(-1) || body.radius < radius;
    $("closer").disabled = radius <= RADII[0];
    $("map").hidden = false;
  } catch {
    if (number === mapping) $("map").hidden = true;
  }
}

function zoom(steps) {
  const at = RADII.indexOf(radius) + steps;
  if (RADII[at] === undefined || !shown) return;
  radius = RADII[at];
  map(shown.customer.postcode);
}
$("closer").addEventListener("click", () => zoom(-1));
$("farther").addEventListener("click", () => zoom(1));

$("delete").addEventListener("click", async () => {
  const { customer, etag } = shown;
  try {
    await ask(`customers/${customer.id}`, { method: "DELETE", headers: etag ? { "if-match": etag } : {} });
    const undo = make("button", "Undo");
    undo.type = "button";
    undo.addEventListener("click", () => bring(customer.id, "*"));
    undoable = [`The account of ${customer.name} was deleted. `, undo];
    location.hash = "#/";
  } catch (error) {
    refused(error, customer.id);
  }
});

// What can be undone is offered in the next view, and not longer.
let undoable = [];

function refused(error, id) {
  say(error.status === 412 ? "Someone else has changed this account. It is shown as it is now." : error.message);
  if (error.status === 412) account(id);
}

// Restores a deleted account and shows it.
async function bring(id, etag) {
  try {
    await ask(`customers/${id}/restore`, { method: "POST", headers: { "if-match": etag } });
    if (location.hash === `#/customers/${id}`) go(); else location.hash = `#/customers/${id}`;
  } catch (error) {
    refused(error, id);
  }
}
$("restore").addEventListener("click", () => bring(shown.customer.id, shown.etag));

$("erase").addEventListener("click", async () => {
  const { customer, etag } = shown;
  if (!confirm(`Erase the account of ${customer.name} and its history? Nothing can bring them back.`)) return;
  try {
    await ask(`customers/${customer.id}/erase`, { method: "POST", headers: { "if-match": etag } });
    location.hash = "#/?deleted=true";
  } catch (error) {
    refused(error, customer.id);
  }
});

$("export").addEventListener("click", (event) => {
  // A link can't send a token.
  if (!signIn.isSignedIn) return;
  event.preventDefault();
  download(event.target.href, `customer-${shown.customer.id}.json`).catch((error) => say(error.message));
});

// A value of the history: short, and of an address its lines and postcode.
function told(value) {
  if (value === undefined || value === null || value === "") return "nothing";
  if (Array.isArray(value)) return value.map(told).join(", ") || "nothing";
  const text = typeof value !== "object" ? String(value)
    : value.address_lines ? [...value.address_lines, value.postcode].join(", ")
    : Object.values(value).filter((one) => one !== null).map(told).join(" ");
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

// What an entry of the history changed, one line a field. The oldest entries have names only.
function changed(entry) {
  if (entry.action === "created") return null;
  const lines = Object.entries(entry.changes ?? {}).map(([field, change]) => {
    const name = field.replace(/^addresses\/[0-9]+\/?/, "").split("/").pop().replaceAll("_", " ") || "address";
    const known = change && ("from" in change || "to" in change);
    return `${name}${known ? `: ${told(change.from)} → ${told(change.to)}` : ""}`;
  });
  if (!lines.length) return null;
  const list = make("ul");
  list.append(...[...new Set(lines)].map((line) => make("li", line)));
  return list;
}

$("history").addEventListener("toggle", async () => {
  if (!$("history").open || $("changes").childElementCount) return;
  const number = seeing;
  try {
    const entries = [];
    let next = null;
    do {
      const asked = new URLSearchParams({ limit: "1000" });
      if (next) asked.set("cursor", next);
      const { body } = await ask(`customers/${shown.customer.id}/history?${asked}`);
      if (number !== seeing) return;
      entries.push(...body.items);
      next = body.next_cursor;
    } while (next && entries.length < 10000);
    $("changes").replaceChildren(...entries.map((entry) => {
      const time = new Date(entry.at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
      const item = make("li", `${time}: ${entry.action.replaceAll("_", " ")}${entry.actor ? ` by ${entry.actor}` : ""}`);
      const what = changed(entry);
      if (what) item.append(what);
      return item;
    }));
  } catch (error) {
    if (number === seeing) $("changes").replaceChildren(make("li", error.message));
  }
});

// ── The form

let editing = null;
// Whether something was typed that is not saved.
let dirty = false;
// The doubtful postcode that the user wants to keep.
let kept = null;
// One key for each form, so that sending it twice creates one account.
let key = null;

async function form(id) {
  const number = ++seeing;
  editing = null;
  dirty = false;
  kept = null;
  $("customer").reset();
  wrong([]);
  $("place").replaceChildren();
  closeCompletions();
  forgetOffer();
  linked = null;
  $("others").replaceChildren();
  if (id) {
    try {
      const { body, etag } = await ask(`customers/${encodeURIComponent(id)}`);
      if (number !== seeing) return;
      editing = { customer: body, etag };
    } catch (error) {
      if (number !== seeing) return;
      show("list");
      return say(error.message);
    }
    for (const name of ["name", "email", "phone", "postcode", "notes"]) $(name).value = editing.customer[name] ?? "";
    $("address_lines").value = editing.customer.address_lines.join("\n");
    for (const other of editing.customer.addresses.slice(1)) addAddress(other);
    if (editing.customer.address_id) linked = { id: editing.customer.address_id, lines: editing.customer.address_lines, postcode: editing.customer.postcode };
    lookUp();
  }
  key = `page-${Date.now()}-${Math.random().toString(36).slice(2)}`;
  $("form-title").textContent = editing ? `Edit ${editing.customer.name}` : "New customer";
  $("cancel").href = editing ? `#/customers/${id}` : "#/";
  sayLinked();
  show("form");
  focusOn(editing ? "form-title" : "name");
}

// ── Further addresses

const KINDS = { billing: "Billing", delivery: "Delivery", previous: "Previous", other: "Other" };
const MOST_ADDRESSES = 20;
const otherAddresses = () => [...$("others").children];
const part = (fieldset, name) => fieldset.querySelector(`[data-name="${name}"]`);

function addAddress(address) {
  const fieldset = make("fieldset"), legend = make("legend");
  fieldset.dataset.id = address.id ?? "";
  fieldset.append(legend);
  const field = (name, label, input, optional) => {
    const p = make("p"), text = make("label", label);
    if (optional) text.append(" ", make("span", "(optional)", "dim"));
    input.dataset.name = name;
    p.append(text, input);
    fieldset.append(p);
    return input;
  };
  const kind = field("kind", "Purpose", make("select"));
  for (const [value, text] of Object.entries(KINDS)) { const option = make("option", text); option.value = value; kind.append(option); }
  kind.value = address.kind ?? "delivery";
  const postcode = field("postcode", "Postcode", make("input", undefined, "short"));
  postcode.value = address.postcode ?? "";
  postcode.maxLength = 64;
  postcode.autocomplete = "off";
  postcode.spellcheck = false;
  const lines = field("address_lines", "Address, without the postcode", make("textarea"));
  lines.rows = 3;
  lines.autocomplete = "off";
  lines.value = (address.address_lines ?? []).join("\n");
  for (const [name, label] of [["valid_from", "First day"], ["valid_to", "Last day"]]) {
    const date = field(name, label, make("input", undefined, "short"), true);
    date.type = "date";
    date.value = address[name] ?? "";
  }
  const remove = make("button", "Remove this address");
  remove.type = "button";
  remove.addEventListener("click", () => {
    fieldset.remove();
    dirty = true;
    numberAddresses();
    $("add-address").focus();
  });
  const actions = make("p");
  actions.append(remove);
  fieldset.append(actions);
  $("others").append(fieldset);
  numberAddresses();
  return fieldset;
}

// The ids of the fields are the names that the errors of the server have.
function numberAddresses() {
  for (const [n, fieldset] of otherAddresses().entries()) {
    fieldset.querySelector("legend").textContent = `Address ${n + 2}`;
    for (const input of fieldset.querySelectorAll("[data-name]")) {
      right(input);
      input.id = `addresses-${n}-${input.dataset.name}`;
      input.closest("p").querySelector("label").htmlFor = input.id;
    }
  }
  $("add-address").hidden = otherAddresses().length + 1 >= MOST_ADDRESSES;
}

$("add-address").addEventListener("click", () => {
  part(addAddress({}), "kind").focus();
  dirty = true;
});

function saidAddresses() {
  return otherAddresses().map((fieldset) => {
    const value = (name) => part(fieldset, name).value.trim();
    const address = { kind: value("kind"), postcode: value("postcode"), valid_from: value("valid_from") || null, valid_to: value("valid_to") || null };
    address.address_lines = part(fieldset, "address_lines").value.split("\n").map((line) => line.trim()).filter(Boolean);
    if (fieldset.dataset.id) address.id = Number(fieldset.dataset.id);
    return address;
  });
}

// Removes the error of a field.
function right(input) {
  if (!input.hasAttribute("aria-invalid")) return;
  $(`${input.id}-error`)?.remove();
  input.removeAttribute("aria-invalid");
  const others = (input.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && id !== `${input.id}-error`);
  if (others.length) input.setAttribute("aria-describedby", others.join(" ")); else input.removeAttribute("aria-describedby");
}
// An error goes as soon as its field is changed.
$("customer").addEventListener("input", (event) => { right(event.target); dirty = true; });

// A button that puts what was probably meant into a field.
function offer(input, suggestion) {
  const button = make("button", `Use ${suggestion}`, "offer");
  button.type = "button";
  button.addEventListener("click", () => {
    input.value = suggestion;
    right(input);
    input.focus();
    if (input.id === "postcode") take(suggestion);
  });
  return button;
}

function wrong(errors) {
  for (const field of document.querySelectorAll("#customer [aria-invalid]")) right(field);
  const others = [];
  for (const { field, message, suggestion } of errors) {
    // The error of a line belongs to all lines.
    const input = $(field.replace(/^addresses\[(\d+)\]\./, "addresses-$1-").replace(/\[.*$/, ""));
    if (!input || !$("customer").contains(input)) { others.push(`${field.replaceAll("_", " ")}: ${message}`); continue; }
    const before = $(`${input.id}-error`);
    if (before) { before.append(`; ${message}`); continue; }
    const node = make("span", message[0].toUpperCase() + message.slice(1), "error");
    node.id = `${input.id}-error`;
    if (suggestion) node.append(" ", offer(input, suggestion));
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", [input.getAttribute("aria-describedby"), node.id].filter(Boolean).join(" "));
    input.closest("p, .field").append(node);
  }
  document.querySelector("#customer [aria-invalid]")?.focus();
  return others;
}

$("customer").addEventListener("submit", async (event) => {
  event.preventDefault();
  say("");
  const value = (name) => $(name).value.trim();
  const customer = {
    name: value("name"), email: value("email"), postcode: value("postcode"),
    address_lines: $("address_lines").value.split("\n").map((line) => line.trim()).filter(Boolean),
  };
  for (const name of ["phone", "notes"]) if (value(name) || editing?.customer[name]) customer[name] = value(name) || null;
  customer.addresses = saidAddresses();
  const link = linkNow();
  if (link || editing?.customer.address_id) customer.address_id = link?.id ?? null;
  // A postcode that the data does not have, or no longer, is asked about once.
  if (customer.postcode !== kept && customer.postcode !== editing?.customer.postcode && whole(customer.postcode)) {
    const doubt = await doubtful(customer.postcode);
    if (doubt) {
      kept = customer.postcode;
      wrong([{ field: "postcode", message: `${doubt} Check it, or press Save again to keep it.` }]);
      return;
    }
  }
  $("save").disabled = true;
  try {
    const headers = { "content-type": "application/json" };
    if (editing?.etag) headers["if-match"] = editing.etag;
    if (!editing) headers["idempotency-key"] = key;
    const path = editing ? `customers/${editing.customer.id}` : "customers";
    const { body } = await ask(path, { method: editing ? "PATCH" : "POST", headers, body: JSON.stringify(customer) });
    dirty = false;
    location.hash = `#/customers/${body.id}`;
  } catch (error) {
    const taken = error.body?.code === "email_taken";
    const others = wrong(taken ? [{ field: "email", message: "another account has this email" }] : error.body?.errors ?? []);
    if (taken) {
      const link = make("a", "Show it");
      link.href = `#/?${new URLSearchParams({ q: customer.email })}`;
      $("email-error").append(" ", link);
    }
    if (error.status === 412) say("Someone else has changed this account: cancel, look at it, and edit it again.");
    else if (!taken && !error.body?.errors?.length) say(error.message);
    else if (others.length) say(others.join("; "));
    // A refused form is sent again with other content, which needs a new key. A form that may have succeeded needs the same key.
    if (error.status >= 400 && error.status < 500) key += "+";
  } finally {
    $("save").disabled = false;
  }
});

// ── Completion of postcodes, as an ARIA combobox with a list

let completing = 0;
let chosen = -1;

function closeCompletions() {
  completing++;
  $("completions").hidden = true;
  $("postcode").setAttribute("aria-expanded", "false");
  $("postcode").removeAttribute("aria-activedescendant");
  chosen = -1;
}

async function complete() {
  const number = ++completing, prefix = $("postcode").value.trim();
  lookUp();
  if (prefix.length < 2) return closeCompletions();
  let items;
  try {
    ({ body: { items } } = await ask(`postcodes?${new URLSearchParams({ prefix })}`));
  } catch {
    items = [];
  }
  if (number !== completing) return;
  const bare = (text) => text.replaceAll(" ", "").toUpperCase();
  if (items.length === 0 || (items.length === 1 && bare(items[0]) === bare(prefix))) return closeCompletions();
  chosen = -1;
  $("postcode").removeAttribute("aria-activedescendant");
  $("completions").replaceChildren(...items.map((item, i) => {
    const option = make("li", item);
    option.id = `completion-${i}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    // This runs before the input loses the focus.
    option.addEventListener("pointerdown", (event) => { event.preventDefault(); take(item); });
    return option;
  }));
  $("completions").hidden = false;
  $("postcode").setAttribute("aria-expanded", "true");
}

function take(postcode) {
  $("postcode").value = postcode;
  closeCompletions();
  lookUp();
}

function choose(i) {
  const options = $("completions").children;
  chosen = (i + options.length) % options.length;
  for (const [n, option] of [...options].entries()) option.setAttribute("aria-selected", String(n === chosen));
  $("postcode").setAttribute("aria-activedescendant", options[chosen].id);
}

$("postcode").addEventListener("input", complete);
$("postcode").addEventListener("blur", closeCompletions);
$("postcode").addEventListener("keydown", (event) => {
  if ($("completions").hidden) return;
  if (event.key === "ArrowDown") choose(chosen + 1);
  else if (event.key === "ArrowUp") choose(chosen < 0 ? -1 : chosen - 1);
  else if (event.key === "Enter" && chosen >= 0) take($("completions").children[chosen].textContent);
  else if (event.key === "Escape") closeCompletions();
  else return;
  event.preventDefault();
});

// Returns why a postcode is doubtful; nothing if it is not, or if nobody answers.
async function doubtful(text) {
  try {
    const { body } = await ask(`postcodes/${encodeURIComponent(text)}`);
    if (body.address_status === "unknown") return `${body.postcode} is not a known postcode.`;
    if (body.address_status === "terminated") return `${body.postcode} is no longer in use.`;
  } catch {
    // The account is accepted even without the lookup.
  }
  return null;
}

let looking = 0;
async function lookUp() {
  const number = ++looking, text = $("postcode").value.trim();
  $("place").replaceChildren();
  offerAddresses(text);
  // An incomplete postcode is still being typed.
  const letters = text.replaceAll(" ", "");
  if (!whole(text) && (letters.length < 5 || letters.length > 7 || document.activeElement === $("postcode") && letters.length < 6)) return;
  try {
    const { body } = await ask(`postcodes/${encodeURIComponent(text)}`);
    if (number !== looking) return;
    const where = [body.admin_district, body.region ?? body.country].filter(Boolean).join(", ");
    $("place").replaceChildren(status(body.address_status), ` ${where || body.advice || MEANS[body.address_status]}`);
  } catch (error) {
    // The account is accepted even without the lookup.
    const suggestion = error.body?.errors?.[0]?.suggestion;
    if (number === looking && suggestion) $("place").replaceChildren("Did you mean ", offer($("postcode"), suggestion));
  }
}

// ── The addresses of the postcode, as an ARIA combobox with a list that typing narrows

// The most addresses that are loaded, and those that are shown at once.
const MOST_OFFERED = 500, MOST_SHOWN = 100;
let offering = 0;
// The postcode that the addresses are of, and the addresses.
let offeredOf = "";
let offered = [];
let matching = [];
let picked = -1;
// The entry of the address data that the lines were taken from.
let linked = null;
// Whether the server has no address data, so that nothing is asked or shown.
let withoutAddresses = false;

const bareText = (text) => text.replaceAll(" ", "").toUpperCase();
const linesNow = () => $("address_lines").value.split("\n").map((line) => line.trim()).filter(Boolean);

// Lines may be added to an address of the list. Without all of the lines of the list it is another address.
function linkNow() {
  if (!linked || bareText($("postcode").value) !== bareText(linked.postcode)) return null;
  const lines = linesNow();
  return linked.lines.every((line) => lines.includes(line)) ? linked : null;
}

function sayLinked() {
  const link = linkNow();
  $("linked").textContent = link ? `From the list: ${idText(link.id)}. You can add lines.` : linked ? "Not from the list any more." : "";
}

function forgetOffer() {
  offering++;
  offeredOf = "";
  offered = [];
  closeOffer();
  $("pick").value = "";
  $("picking").hidden = true;
  $("offer-said").textContent = "";
}

async function offerAddresses(text) {
  if (withoutAddresses || bareText(text) === offeredOf) return;
  forgetOffer();
  if (!whole(text)) return;
  const number = offering;
  offeredOf = bareText(text);
  try {
    let page;
    do {
      ({ body: page } = await ask(`postcodes/${encodeURIComponent(text)}/addresses?${new URLSearchParams({ skip: offered.length })}`));
      if (number !== offering) return;
      offered.push(...page.items);
    } while (page.items.length && offered.length < Math.min(page.total, MOST_OFFERED));
    $("picking").hidden = offered.length === 0;
    if (offered.length) {
      const count = offered.length < page.total ? `The first ${offered.length} of ${page.total}` : offered.length;
      $("offer-said").textContent = `${count} ${page.total === 1 ? "address" : "addresses"} at ${page.postcode}. ${page.attribution}`;
    } else if (page.status === "no_addresses") {
      $("offer-said").textContent = `The data has no addresses at ${page.postcode}: type the address.`;
    }
  } catch (error) {
    if (number !== offering) return;
    offeredOf = "";
    if (error.status === 501) withoutAddresses = true;
    else if (error.status !== 400) $("offer-said").textContent = "Addresses can't be looked up now: type the address.";
  }
}

function closeOffer() {
  $("offered").hidden = true;
  $("pick").setAttribute("aria-expanded", "false");
  $("pick").removeAttribute("aria-activedescendant");
  picked = -1;
}

// Each word of the text must begin a word of the address.
function openOffer() {
  const words = $("pick").value.toLowerCase().split(/[\s,]+/).filter(Boolean);
  matching = offered.filter(({ lines }) => {
    const all = lines.join(" ").toLowerCase().split(/[\s,]+/);
    return words.every((word) => all.some((other) => other.startsWith(word)));
  });
  closeOffer();
  $("offered").replaceChildren(...matching.slice(0, MOST_SHOWN).map(({ lines }, i) => {
    const option = make("li", lines.join(", "));
    option.id = `offered-${i}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    // This runs before the input loses the focus.
    option.addEventListener("mousedown", (event) => { event.preventDefault(); takeOffer(i); });
    return option;
  }));
  if (matching.length === 0) { $("offer-said").textContent = "No address matches: type it below."; return; }
  const rest = matching.length > MOST_SHOWN ? `, ${MOST_SHOWN} shown: type more to narrow them` : "";
  $("offer-said").textContent = `${matching.length} ${matching.length === 1 ? "address" : "addresses"}${rest}.`;
  $("offered").hidden = false;
  $("pick").setAttribute("aria-expanded", "true");
}

function highlight(i) {
  const options = $("offered").children;
  picked = (i + options.length) % options.length;
  for (const [n, option] of [...options].entries()) option.setAttribute("aria-selected", String(n === picked));
  $("pick").setAttribute("aria-activedescendant", options[picked].id);
  options[picked].scrollIntoView({ block: "nearest" });
}

function takeOffer(i) {
  const { id, lines } = matching[i];
  linked = id ? { id, lines, postcode: $("postcode").value } : null;
  $("address_lines").value = lines.join("\n");
  right($("address_lines"));
  dirty = true;
  $("pick").value = lines.join(", ");
  closeOffer();
  $("offer-said").textContent = "The address is filled in below.";
  sayLinked();
}

$("pick").addEventListener("input", openOffer);
$("pick").addEventListener("click", () => { if ($("offered").hidden) openOffer(); });
$("pick").addEventListener("blur", closeOffer);
$("pick").addEventListener("keydown", (event) => {
  const open = !$("offered").hidden;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    if (!open) openOffer();
    if ($("offered").hidden) return;
    highlight(event.key === "ArrowDown" ? picked + 1 : picked < 0 ? -1 : picked - 1);
  } else if (event.key === "Enter") {
    // Enter in this field never sends the form: the choice is not complete.
    if (open && picked >= 0) takeOffer(picked);
    else if (open && matching.length === 1) takeOffer(0);
  } else if (open && event.key === "Escape") closeOffer();
  else return;
  event.preventDefault();
});
for (const id of ["address_lines", "postcode"]) $(id).addEventListener("input", sayLinked);

// ── Imports

let importing = 0;
let fileKey = null;

async function imports() {
  const number = ++importing;
  try {
    const { body } = await ask("imports");
    if (number !== importing) return;
    drawImports(body.items);
    const open = body.items.some((item) => item.state === "queued" || item.state === "running");
    if (open) setTimeout(() => { if (number === importing) imports(); }, 1000);
  } catch (error) {
    if (number === importing) say(error.message);
  }
}

// Keep existing rows and change only their texts, so that a focused link keeps the focus.
function drawImports(items) {
  const old = new Map([...$("imports").children].map((row) => [row.dataset.id, row]));
  const rows = items.map((item) => {
    const row = old.get(item.id) ?? importRow(item);
    fillImport(row, item);
    return row;
  });
  if (rows.length === 0) rows.push(emptyRow("No file has been imported yet.", 5));
  for (const row of old.values()) if (!rows.includes(row)) row.remove();
  for (const [i, row] of rows.entries()) {
    const there = $("imports").children[i];
    if (there !== row) $("imports").insertBefore(row, there ?? null);
  }
}

function emptyRow(text, columns) {
  const row = make("tr"), cell = make("td", text, "dim");
  cell.colSpan = columns;
  row.append(cell);
  return row;
}

function importRow(item) {
  const row = make("tr"), how = make("td"), report = make("td"), bar = make("progress"), link = make("a");
  row.dataset.id = item.id;
  bar.setAttribute("aria-label", "Rows done");
  how.append(bar, make("span"));
  link.download = "report.csv";
  report.append(link);
  const taken = new Date(item.created_at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
  row.append(make("td", taken), make("td", item.name ?? ""), make("td"), how, report);
  return row;
}

function importState({ state, failed }) {
  if (state === "succeeded") return failed ? "done, some rows failed" : "done";
  return state === "queued" ? "waiting" : state;
}

function fillImport(row, item) {
  const [, , state, how, report] = row.children, [bar, text] = how.children, [link] = report.children;
  const count = (n) => n.toLocaleString("en-GB");
  state.textContent = importState(item);
  bar.max = item.total;
  bar.value = item.created + item.failed;
  text.textContent = ` ${count(item.created)} of ${count(item.total)} made${item.failed ? `, ${count(item.failed)} failed` : ""}`;
  link.textContent = item.failed ? "Failed rows (CSV)" : "All rows (CSV)";
  link.href = `imports/${item.id}/${item.failed ? "failed" : "report"}`;
  link.onclick = (event) => {
    if (!signIn.isSignedIn) return;
    // A link can't send a token.
    event.preventDefault();
    download(link.href, `import-${item.id}.csv`).catch((error) => say(error.message));
  };
}

// The kind of a file, for the server.
function kindOf(name) {
  if (/\.xlsx$/i.test(name)) return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
  if (/\.ods$/i.test(name)) return "application/vnd.oasis.opendocument.spreadsheet";
  return "text/csv";
}

// The meanings that a column can have.
const MEANINGS = {
  "": "choose a meaning", name: "name", name_part: "part of the name", email: "email", postcode: "postcode",
  address: "whole address", address_line: "line of the address", phone: "phone", notes: "notes", ignore: "leave out",
};
const PREVIEWED = 262144;
let previewing = 0;

// What was chosen for the columns, as the server takes it.
function chosenColumns() {
  const asked = new URLSearchParams();
  for (const select of $("preview").querySelectorAll("select")) {
    if (select.value && select.value !== select.dataset.known) asked.append("map", `${select.dataset.heading}=${select.value}`);
  }
  if ($("others-ignored").checked) asked.set("others", "ignore");
  if ($("headless").checked) asked.set("header", "none");
  if ($("sheet").value.trim()) asked.set("sheet", $("sheet").value.trim());
  return asked;
}

// Asks the server what it makes of the file, and shows it with a choice for each column.
async function preview() {
  const file = $("file").files[0], number = ++previewing;
  if (!file) return forgetPreview();
  // A text is cut; the others can only be read whole.
  const text = kindOf(file.name) === "text/csv" && !/\.(gz|zst|zip)$/i.test(file.name);
  const body = text ? file.slice(0, PREVIEWED) : file;
  const headers = { "content-type": kindOf(file.name) };
  try {
    const { body: seen } = await ask(`imports/preview?${chosenColumns()}`, { method: "POST", headers, body, signal: AbortSignal.timeout(300000) });
    if (number === previewing) drawPreview(seen);
  } catch (error) {
    if (number !== previewing) return;
    $("preview-said").textContent = error.message;
  }
}

function forgetPreview() {
  previewing++;
  $("preview").replaceChildren();
  $("preview-said").textContent = "";
  for (const id of ["preview", "mapping"]) $(id).hidden = true;
}

function drawPreview({ columns, rows, problem, notes }) {
  $("preview-said").textContent = [problem ?? "The file can be imported.", ...notes].join(" – ");
  const selects = [...$("preview").querySelectorAll("select")];
  // The choices stay as they are, so that the focus does.
  if (selects.length === columns.length) return;
  const table = make("table"), head = make("tr"), chosen = make("tr");
  for (const [n, { heading, column }] of columns.entries()) {
    const th = make("th", heading || "(no heading)"), td = make("td"), select = make("select");
    th.scope = "col";
    th.id = `heading-${n}`;
    select.setAttribute("aria-label", `Meaning of ${heading || `column ${n + 1}`}`);
    const meanings = { ...MEANINGS };
    if (heading) meanings[column?.startsWith("reference:") ? column : `reference:${heading}`] = "number in another system";
    for (const [value, text] of Object.entries(meanings)) { const option = make("option", text); option.value = value; select.append(option); }
    select.value = column ?? "";
    select.dataset.known = column ?? "";
    select.dataset.heading = heading;
    select.addEventListener("change", preview);
    head.append(th);
    td.append(select);
    chosen.append(td);
  }
  const line = (cells) => { const tr = make("tr"); tr.append(...cells.map((cell) => make("td", cell))); return tr; };
  table.append(head, chosen, ...rows.map(line));
  $("preview").replaceChildren(table);
  for (const id of ["preview", "mapping"]) $(id).hidden = false;
}

$("others-ignored").addEventListener("change", preview);
// Another sheet has other columns, and without headings they have other names.
for (const id of ["headless", "sheet"]) $(id).addEventListener("change", () => { forgetPreview(); preview(); });
$("file").addEventListener("change", () => {
  fileKey = `page-${Date.now()}-${Math.random().toString(36).slice(2)}`;
  $("others-ignored").checked = false;
  $("headless").checked = false;
  $("sheet").value = "";
  forgetPreview();
  preview();
});
$("file-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const file = $("file").files[0];
  if (!file) return say("Choose a file.");
  say("");
  try {
    // An upload has no time limit here. Sent twice it is one import.
    const headers = { "content-type": kindOf(file.name), "idempotency-key": fileKey };
    const asked = chosenColumns();
    asked.set("name", file.name);
    await ask(`imports?${asked}`, { method: "POST", headers, body: file, signal: AbortSignal.timeout(300000) });
    $("file-form").reset();
    forgetPreview();
    imports();
  } catch (error) {
    // With another meaning of a column it is another import.
    if (error.status >= 400 && error.status < 500) fileKey += "+";
    say(error.message);
  }
});

// ── Navigation within the page

const TITLES = { list: "Accounts", account: "Account", form: "Edit", import: "Import" };
function show(section) {
  const name = section === "account" ? shown?.customer.name : section === "form" ? $("form-title").textContent : null;
  document.title = `${name || TITLES[section]} – Customers`;
  for (const id of ["list", "account", "form", "import"]) $(id).hidden = id !== section;
  if (section !== "account") { $("map").hidden = true; mapping++; }
}

let moved = false;
// Announce the new section to a reader who navigates, but don't move the focus when the page opens.
function focusOn(id) { if (moved) $(id).focus(); }

function go() {
  // The fragment of another place in the page.
  if (location.hash && !location.hash.startsWith("#/")) return;
  say("");
  const [path, filters] = location.hash.split("?");
  const [, one, id, what] = path.split("/");
  importing++;
  $("undo").replaceChildren(...undoable);
  undoable = [];
  if (one === "new") form(null);
  else if (one === "import") { seeing++; show("import"); imports(); }
  else if (one === "customers" && id) what === "edit" ? form(id) : account(id);
  else {
    seeing++;
    show("list");
    restore(filters);
    list(false);
  }
}
document.querySelector('a[href="#main"]')?.addEventListener("click", (event) => { event.preventDefault(); $("main").focus(); });
// Leaving a form with something unsaved is asked about.
let at = location.hash;
addEventListener("hashchange", () => {
  if (location.hash === at) return;
  if (dirty && !confirm("Leave without saving what you typed?")) {
    history.replaceState(null, "", at || "#/");
    return;
  }
  dirty = false;
  at = location.hash;
  moved = true;
  go();
});
addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });
// Nothing that was typed is lost.
signIn.changed = () => { if (!dirty) go(); };
go();
