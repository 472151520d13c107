// Shows the answer at the URL of this page, for which the browser can't send the token itself.
"use strict";

const make = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
const state = document.getElementById("state");

// Returns the answer as the content of a page: an HTML page's own, and of others the text and a link to keep it.
async function content(response) {
  const kind = response.headers.get("content-type") ?? "";
  const text = await response.text();
  if (kind.startsWith("text/html")) {
    const page = new DOMParser().parseFromString(text, "text/html");
    document.title = page.title;
    return [...page.querySelector("main").childNodes];
  }
  const name = location.pathname.split("/").pop();
  document.title = name;
  const link = make("a", "Save as a file");
  link.href = URL.createObjectURL(new Blob([text], { type: kind }));
  link.download = kind.startsWith("application/json") ? `${name}.json` : `${name}.txt`;
  const line = make("p");
  line.append(link);
  const shown = make("div");
  shown.className = "scroll";
  shown.tabIndex = 0;
  shown.setAttribute("role", "group");
  shown.setAttribute("aria-label", name);
  shown.append(make("pre", text));
  return [make("h1", name), line, shown];
}

async function view() {
  state.textContent = "Asking …";
  try {
    const response = await signIn.request(location.href);
    if (response.ok) {
      document.querySelector("main").replaceChildren(...await content(response));
      return;
    }
    const problem = await response.json().catch(() => ({}));
    state.textContent = `Nothing can be shown: ${problem.detail ?? `the server answered ${response.status}`}.`;
  } catch (error) {
    state.textContent = `The program does not answer: ${error.message}.`;
  }
}
signIn.changed = view;
view();
