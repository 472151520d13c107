// Asks a person for the token that the server wants, and sends it as a header with each request of the page. It is in
// the storage of this tab, which is emptied when the tab is closed. It is not in a cookie, which a browser would also send
// with requests of other sites.
"use strict";

const signIn = (() => {
  const make = (tag, properties, ...children) => {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  };
  // Without storage the token is kept until the page is left.
  const storage = (use) => { try { return use(sessionStorage); } catch { return null; } };
  let token = storage((kept) => kept.getItem("token"));
  function keep(given) {
    token = given;
    storage((kept) => given ? kept.setItem("token", given) : kept.removeItem("token"));
  }
  // The dialog that is open, as a promise of whether a token was given.
  let asking = null;
  // After Cancel only the button asks again: some pages poll.
  let cancelled = false;

  const input = make("input", {
    id: "sign-in-token", type: "password", required: true, autofocus: true, autocomplete: "current-password",
    spellcheck: false, autocapitalize: "off",
  });
  input.setAttribute("aria-describedby", "sign-in-why sign-in-kept");
  const why = make("p", { id: "sign-in-why" });
  const cancel = make("button", { type: "button", textContent: "Cancel" });
  const form = make("form", {},
    make("h2", { id: "sign-in-title", textContent: "Sign in" }), why,
    make("p", {}, make("label", { htmlFor: input.id, textContent: "Token" }), input),
    make("p", { id: "sign-in-kept", className: "dim", textContent: "It is kept in this tab until you sign out or close the tab." }),
    make("p", {}, make("button", { type: "submit", className: "first", textContent: "Sign in" }), " ", cancel));
  const dialog = make("dialog", { id: "sign-in" }, form);
  dialog.setAttribute("aria-labelledby", "sign-in-title");
  document.body.append(dialog);

  const state = make("span", {}), button = make("button", { type: "button" });
  function show() {
    const session = document.getElementById("session");
    if (!session) return;
    session.hidden = false;
    state.textContent = token ? "Signed in with a token. " : "Not signed in. ";
    button.textContent = token ? "Sign out" : "Sign in";
    if (!button.isConnected) session.append(state, button);
  }
  button.addEventListener("click", async () => {
    if (token) {
      keep(null);
      location.reload();
      return;
    }
    cancelled = false;
    if (await ask({})) self.changed();
  });

  // Opens the dialog. Returns whether a token was given.
  function ask({ code = "token_required", detail }) {
    if (code === "token_invalid" || code === "token_expired") keep(null);
    if (cancelled) return false;
    asking ??= new Promise((resolve) => {
      const first = code === "token_required";
      why.textContent = first ? "This page needs a token. The operator of this server can make one for you." : `${detail}.`;
      why.className = first ? "" : "bad";
      input.setAttribute("aria-invalid", String(!first));
      input.value = "";
      let given = "";
      form.onsubmit = (event) => {
        event.preventDefault();
        given = input.value.trim();
        if (given) dialog.close();
      };
      cancel.onclick = () => dialog.close();
      // Also after Escape.
      dialog.onclose = () => {
        input.value = "";
        asking = null;
        cancelled = !given;
        if (given) keep(given);
        show();
        resolve(Boolean(given));
      };
      dialog.showModal();
    });
    return asking;
  }

  const self = {
    // Called when a person has signed in with the button.
    changed() {},

    get isSignedIn() { return Boolean(token); },

    // Fetches with the token. Asks for one if the server wants one or another one, and tries again.
    async request(path, options = {}) {
      for (;;) {
        const used = token;
        const headers = used ? { ...options.headers, authorization: `Bearer ${used}` } : options.headers;
        const response = await fetch(path, { ...options, headers });
        if (response.status !== 401 && response.status !== 403) {
          if (used) show();
          return response;
        }
        const problem = await response.clone().json().catch(() => ({}));
        const aboutToken = /^token_|^scope_missing$/.test(problem.code ?? "");
        // Another request may have got a token in the meantime.
        if (!aboutToken || (token === used && !await ask(problem))) {
          if (aboutToken) show();
          return response;
        }
        // A person takes longer to find the token than a request may take.
        options = { ...options, signal: AbortSignal.timeout(300000) };
      }
    },
  };
  return self;
})();
