"""Drives the web component of examples/typescript in a browser, over its own page: types, chooses, and reads the form.

    python3 .ci/field.py BROWSER FOLDER URL
"""

import functools
import html
import http.server
import json
import re
import subprocess
import sys
import threading
from pathlib import Path

BROWSER, FOLDER, URL = sys.argv[1], Path(sys.argv[2]), sys.argv[3]

# Modules are only loaded over HTTP. The page does what a person would, and leaves what it saw in its markup.
(FOLDER / "page.html").write_text("""<!doctype html><html lang="en"><title>Field</title>
<form><label for="pc">Postcode</label>
<postcode-field url="@URL@"><input id="pc" name="postcode" required></postcode-field></form>
<output id="seen"></output>
<script type="module">
import "./dist/postcode-field.js";
const input = document.querySelector("input"), form = document.forms[0];
const until = async (what, true_) => {
  for (let n = 0; n < 500; n++) { if (true_()) return; await new Promise((go) => setTimeout(go, 20)); }
  throw new Error("never: " + what);
};
const type = (text) => { input.focus(); input.value = text; input.dispatchEvent(new InputEvent("input", { bubbles: true })); };
const key = (name) => input.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }));
const items = () => [...document.querySelectorAll("[role=option]")];
const seen = {};
try {
  seen.role = input.getAttribute("role");
  type("SW1A1");
  await until("completions", () => items().length > 0);
  seen.expanded = input.getAttribute("aria-expanded");
  seen.first = items()[0].textContent;
  let told;
  form.addEventListener("postcode", (event) => { told = event.detail; });
  key("ArrowDown");
  seen.active = document.getElementById(input.getAttribute("aria-activedescendant")).textContent;
  key("Enter");
  await until("the event", () => told);
  seen.value = new FormData(form).get("postcode");
  seen.country = told.record.country;
  seen.valid = form.checkValidity();
  type("SWIA 1AA");
  input.dispatchEvent(new Event("change", { bubbles: true }));
  await until("the message", () => input.validationMessage);
  seen.message = input.validationMessage;
  seen.validThen = form.checkValidity();
} catch (error) { seen.error = String(error); }
document.getElementById("seen").textContent = JSON.stringify(seen);
</script></html>""".replace("@URL@", URL))


class Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map = {".js": "text/javascript", ".html": "text/html"}

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(FOLDER)))
threading.Thread(target=server.serve_forever, daemon=True).start()
command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--no-proxy-server", "--dump-dom"]
command += ["--virtual-time-budget=20000", f"--user-data-dir={FOLDER}/profile"]
page = f"http://127.0.0.1:{server.server_port}/page.html"
done = subprocess.run([*command, page], capture_output=True, text=True, timeout=120)
found = re.search(r'<output id="seen">(.*?)</output>', done.stdout, re.DOTALL)
if not found or not found[1]:
    sys.exit(f"FAILED: the browser showed no result: {done.stdout[-500:]}{done.stderr[-500:]}")
seen = json.loads(html.unescape(found[1]))
due = {"role": "combobox", "expanded": "true", "first": "SW1A 1AA", "active": "SW1A 1AA", "value": "SW1A 1AA"}
due |= {"country": "England", "valid": True, "validThen": False}
wrong = {name: seen.get(name) for name in due if seen.get(name) != due[name]}
if wrong or "did you mean SW1A 1AA?" not in seen.get("message", ""):
    sys.exit(f"FAILED: the web component: {wrong or seen}")
print("ok: the web component completes, checks and validates in a browser")
