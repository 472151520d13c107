"use strict";
const STAGES = {
  "local": "The old implementation answers.",
  "shadow": "The old implementation answers. A share of the calls also goes to the new one, and the answers are compared.",
  "canary": "The new implementation answers a share of the calls. If it fails, the old one answers.",
  "remote-with-fallback": "The new implementation answers. If it fails, the old one answers.",
  "remote": "The new implementation answers.",
};
const $ = (id) => document.getElementById(id);
const make = (tag, text, className) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
};
const count = (n) => n.toLocaleString("en-GB");
const time = (us) => us == null ? "–"
  : us < 1 ? `${(us * 1000).toFixed(0)} ns`
  : us < 1000 ? `${us.toFixed(us < 10 ? 2 : 0)} µs`
  : us < 1e6 ? `${(us / 1000).toFixed(us < 10000 ? 2 : 0)} ms`
  : `${(us / 1e6).toFixed(2)} s`;

const buttons = {};
for (const stage of Object.keys(STAGES)) {
  const button = make("button", stage);
  button.type = "button";
  button.addEventListener("click", () => put({ stage }));
  buttons[stage] = button;
  const item = make("li");
  item.append(button);
  $("stages").append(item);
}
let stage;
// Don't overwrite a value that is being typed.
let typed = false;
$("share").addEventListener("input", () => { typed = true; });
$("set-share").addEventListener("click", () => {
  const share = $("share").valueAsNumber / 100;
  if (stage && share >= 0 && share <= 1) put({ stage, share });
  else $("message").textContent = "Give a share from 0 to 100 %.";
});
$("share").addEventListener("keydown", (event) => { if (event.key === "Enter") $("set-share").click(); });

for (const name of [...Object.keys(STAGES), "default"]) {
  const option = make("option", name === "default" ? "none: go by the other rows" : name);
  option.value = name;
  $("row-stage").append(option);
}
$("row-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const change = { row: $("row").value.trim(), stage: $("row-stage").value };
  if (change.stage !== "default" && $("row-share").value !== "") change.share = $("row-share").valueAsNumber / 100;
  put(change);
});

async function ask(options, path = "promotion") {
  const response = await signIn.request(path, options);
  const body = await response.json();
  if (!response.ok) throw Object.assign(new Error(body.detail), { refused: [401, 403].includes(response.status) });
  return body;
}

// Numbers the requests, so that a late answer changes nothing.
let asked = 0;
async function put(change) {
  const number = ++asked;
  $("message").textContent = "";
  try {
    const seen = await ask({ method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify(change) });
    if ("share" in change && !("row" in change)) typed = false;
    if (number === asked) show(seen);
  } catch (error) {
    $("message").textContent = `Not changed: ${error.message}`;
  }
}

function text(node, value) {
  // Write only what changed, so that a screen reader says only that.
  if (node.textContent !== value) node.textContent = value;
}

function show(seen) {
  stage = seen.stage;
  for (const [name, button] of Object.entries(buttons)) button.setAttribute("aria-pressed", name === stage);
  const apart = seen.rows.filter((row) => row.active && row.row !== "default");
  text($("state"), apart.length
    ? `In stage ${stage}, and ${apart.map((row) => `${row.row} in ${row.stage}`).join(", ")}.`
    : `In stage ${stage}.`);
  text($("plan"), seen.plan);
  $("rows").replaceChildren(...seen.rows.map((row) => {
    const line = make("tr"), head = make("th", row.row);
    head.scope = "row";
    line.append(head, make("td", row.active ? row.stage : "removed"),
      make("td", row.active ? `${+(row.share * 100).toFixed(4)} %` : "–"), make("td", count(row.calls)),
      make("td", count(row.compared)), make("td", count(row.mismatched), row.causes.code ? "bad" : ""),
      make("td", count(row.errors), row.errors ? "bad" : ""), make("td", count(row.held)),
      make("td", time(row.latency.old.p50_us)), make("td", time(row.latency.new.p50_us)));
    return line;
  }));
  text($("meaning"), STAGES[stage]);
  if (!typed) $("share").value = +(seen.share * 100).toFixed(4);
  const agreement = seen.compared ? `${(Math.floor(seen.matched / seen.compared * 1e5) / 1e3)} %` : "–";
  $("numbers").replaceChildren(...[
    ["Agreement", agreement, seen.compared && (seen.causes.code ? "bad" : "good")],
    ["Calls", count(seen.calls)],
    ["Compared", count(seen.compared)],
    ["Differences of the code", count(seen.causes.code), seen.causes.code && "bad"],
    ["Differences of the edition", count(seen.causes.edition)],
    ["Differences of noise", count(seen.causes.noise)],
    ["Errors of the new implementation", count(seen.errors), seen.errors && "bad"],
    ["Then answered by the old one", count(seen.fallbacks)],
    ["Failed for the caller", count(seen.failed), seen.failed && "bad"],
    ["Not compared: too many", count(seen.skipped)],
  ].map(([name, value, className]) => {
    const box = make("div");
    box.append(make("dt", name), make("dd", value, className || ""));
    return box;
  }));
  const step = seen.last_step_back;
  text($("guard"), step
    ? `The guard rolled back ${seen.step_backs === 1 ? "once" : seen.step_backs + " times"}, last row ${step.row} from `
      + `${step.from} to ${step.to} at ${new Date(step.at * 1000).toLocaleTimeString("en-GB")}: ${step.reason}.`
    : "The guard has not rolled back.");
  $("guard").className = step ? "bad" : "dim";
  $("latency").replaceChildren(...["old", "new"].flatMap((side) =>
    [["p50_us", "50 %"], ["p90_us", "90 %"], ["p99_us", "99 %"]].map(([key, name], i) => {
      const us = seen.latency[side][key], row = make("tr");
      if (i === 0) {
        const head = make("th", side);
        head.scope = "rowgroup";
        head.rowSpan = 3;
        row.append(head);
      }
      const bar = make("span", "", `bar ${side}`), cell = make("td");
      bar.style.width = us == null ? "0" : `${Math.min(100, Math.max(0, (Math.log10(us) + 1) / 7 * 100))}%`;
      cell.style.width = "60%";
      cell.append(bar);
      row.append(make("td", name), make("td", time(us), "time"), cell);
      return row;
    })));
  const fields = seen.differences.length ? seen.differences : [{ cause: "none", method: "", field: "", count: "" }];
  $("fields").replaceChildren(...fields.map((difference) => {
    const row = make("tr");
    row.append(make("td", difference.cause, difference.cause === "code" ? "bad" : ""), make("td", difference.method),
      make("td", difference.field), make("td", difference.count === "" ? "" : count(difference.count)));
    return row;
  }));
  const examples = seen.examples.length ? seen.examples : [{ cause: "none", query: "", old: "", new: "" }];
  $("examples").replaceChildren(...examples.map((example) => {
    const row = make("tr");
    row.append(make("td", example.cause, example.cause === "code" ? "bad" : ""));
    for (const value of [example.query, example.old, example.new]) {
      const cell = make("td");
      cell.append(make("code", value));
      row.append(cell);
    }
    return row;
  }));
  text($("old"), seen.sources.old);
  text($("new"), seen.sources.new);
}

// The walk is written by the server, so that its own page needs no JavaScript.
async function showWalk(walks) {
  $("walking").hidden = !walks;
  if (!walks) return;
  const response = await signIn.request("walk", { signal: AbortSignal.timeout(5000) });
  if (!response.ok) return;
  const walk = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("walk");
  for (const heading of walk.querySelectorAll("h2")) {
    const smaller = make("h3", heading.textContent);
    heading.replaceWith(smaller);
  }
  const title = make("h2", "Walk");
  if ($("walking").textContent !== title.textContent + walk.textContent) $("walking").replaceChildren(title, ...walk.childNodes);
}

// The processes that follow the same plan. Rows are added up.
async function showFleet(fleet) {
  $("fleet").hidden = !fleet;
  for (const button of document.querySelectorAll("fieldset button, #row-form button")) button.disabled = Boolean(fleet);
  if (!fleet) return;
  const trouble = fleet.unreachable ? ` It can't be reached: ${fleet.unreachable}.` : fleet.error ? ` ${fleet.error}.` : "";
  text($("fleet-state"), `This process (${fleet.process}) follows revision ${fleet.revision} of ${fleet.source}. Change the plan there.${trouble}`);
  $("fleet-state").className = trouble ? "bad" : "dim";
  let all;
  try {
    all = await ask({ signal: AbortSignal.timeout(5000) }, "fleet");
  } catch (error) {
    text($("fleet-sums"), `The other processes are not known: ${error.message}`);
    return;
  }
  const there = all.acknowledged.map((it) => `${count(it.processes)} at revision ${it.revision}`).join(", ") || "none";
  const sums = all.rows.map((row) => `${row.row} in ${row.stage}: ${count(row.observed.failed)} of ${count(row.observed.asked)} failed`);
  text($("fleet-sums"), `Revision ${all.revision}: ${all.plan}. Processes: ${there}. ${sums.join("; ")}.`);
  const shown = all.processes.slice(0, 200);
  $("processes").replaceChildren(...shown.map((process) => {
    const sum = (value) => process.rows.reduce((total, row) => total + value(row), 0);
    const line = make("tr"), head = make("th", process.process), failed = sum((row) => row.observed.failed);
    head.scope = "row";
    const differences = sum((row) => row.observed.mismatched);
    line.append(head, make("td", process.revision, process.revision === all.revision ? "good" : "bad"),
      make("td", process.error ?? process.plan, process.error ? "bad" : ""), make("td", count(sum((row) => row.calls))),
      make("td", count(sum((row) => row.observed.asked))), make("td", count(failed), failed ? "bad" : ""),
      make("td", count(sum((row) => row.observed.compared))), make("td", count(differences), differences ? "bad" : ""),
      make("td", `${process.silent_for.toFixed(0)} s ago`));
    return line;
  }));
}

async function poll() {
  const number = asked;
  try {
    const seen = await ask({ signal: AbortSignal.timeout(5000) });
    if (number === asked) show(seen);
    await showWalk(seen.walks);
    await showFleet(seen.fleet);
  } catch (error) {
    text($("state"), error.refused
      ? `Nothing can be shown: ${error.message}.`
      : `The program does not answer: ${error.message}. The values below are old.`);
  }
  setTimeout(poll, document.hidden ? 5000 : 1000);
}
poll();
