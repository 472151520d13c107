/**
 * `<postcode-field url="https://…">` around an input of any form: completes postcodes while a person types, and says what is
 * wrong with one. Without JavaScript the input is what it was.
 *
 *     <postcode-field url="http://localhost:8000">
 *       <label for="pc">Postcode</label>
 *       <input id="pc" name="postcode" required>
 *     </postcode-field>
 *
 * The input is a combobox with a list (ARIA), its validity is the form's (`setCustomValidity`), and a `postcode` event
 * bubbles with the answer in `detail` when a person has chosen or typed a whole postcode. A server that does not answer
 * never keeps a form from being sent.
 */
import { Client, type Postcode } from "./client.js";

/** Milliseconds without a key until the server is asked. */
const PAUSE = 120;
/** A beginning of a postcode, with at least an area. */
const BEGINNING = /^[a-z]{1,2}[0-9]?[0-9a-z]?\s*[0-9]?[a-z]{0,2}$/i;

let fields = 0;

export class PostcodeField extends HTMLElement {
  #input: HTMLInputElement | null = null;
  #list = document.createElement("ul");
  #said = document.createElement("span");
  #client: Client | null = null;
  #chosen = -1;
  #typing: ReturnType<typeof setTimeout> | undefined;
  #asking: AbortController | undefined;
  #ready = false;

  connectedCallback(): void {
    const input = this.querySelector("input");
    if (this.#ready || !input) return;
    this.#ready = true;
    this.#input = input;
    this.#client = new Client(this.getAttribute("url") ?? "", {
      ...(this.hasAttribute("token") && { token: this.getAttribute("token") ?? "" }),
      timeout: 5_000,
    });
    const id = `postcode-field-${++fields}`;
    this.#list.id = id;
    this.#list.setAttribute("role", "listbox");
    this.#list.setAttribute("aria-label", this.getAttribute("label") ?? "Postcodes that begin so");
    this.#list.hidden = true;
    this.#said.id = `${id}-said`;
    this.#said.setAttribute("role", "status");
    input.insertAdjacentElement("afterend", this.#list);
    this.append(this.#said);
    const described = input.getAttribute("aria-describedby");
    for (const [name, value] of [
      ["role", "combobox"],
      ["aria-autocomplete", "list"],
      ["aria-controls", id],
      ["aria-expanded", "false"],
      ["aria-describedby", described ? `${described} ${this.#said.id}` : this.#said.id],
      ["autocomplete", "off"],
      ["spellcheck", "false"],
    ] as const)
      input.setAttribute(name, value);
    input.addEventListener("input", () => this.#typed());
    input.addEventListener("keydown", (event) => this.#key(event));
    input.addEventListener("blur", () => this.#close());
    input.addEventListener("change", () => void this.#check());
  }

  disconnectedCallback(): void {
    this.#close();
  }

  #typed(): void {
    this.#close();
    this.#tell("");
    this.#typing = setTimeout(() => void this.#complete(), PAUSE);
  }

  async #complete(): Promise<void> {
    const text = this.#input?.value.trim() ?? "";
    if (!BEGINNING.test(text)) return;
    const asking = new AbortController();
    this.#asking = asking;
    try {
      const found = (await this.#client?.complete(text, 8, asking.signal)) ?? [];
      const others = found.filter((postcode) => postcode !== text.toUpperCase());
      if (asking.signal.aborted || document.activeElement !== this.#input || !others.length) return;
      this.#list.replaceChildren(
        ...others.map((postcode, number) => {
          const item = document.createElement("li");
          item.id = `${this.#list.id}-${number}`;
          item.setAttribute("role", "option");
          item.setAttribute("aria-selected", "false");
          item.textContent = postcode;
          // Before the input loses the focus.
          item.addEventListener("mousedown", (event) => {
            event.preventDefault();
            this.#take(postcode);
          });
          return item;
        }),
      );
      this.#list.hidden = false;
      this.#input?.setAttribute("aria-expanded", "true");
    } catch {
      // Completions only help: without them a person types on.
    }
  }

  #key(event: KeyboardEvent): void {
    if (this.#list.hidden) return;
    const count = this.#list.children.length;
    if (event.key === "Escape") this.#close();
    else if (event.key === "ArrowDown") this.#mark((this.#chosen + 1) % count);
    else if (event.key === "ArrowUp") this.#mark((this.#chosen <= 0 ? count : this.#chosen) - 1);
    else if (event.key === "Enter" && this.#chosen >= 0) this.#take(this.#list.children[this.#chosen]?.textContent ?? "");
    else return;
    event.preventDefault();
  }

  #mark(number: number): void {
    this.#chosen = number;
    [...this.#list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === number)));
    const item = this.#list.children[number];
    if (item) this.#input?.setAttribute("aria-activedescendant", item.id);
  }

  #take(postcode: string): void {
    if (!this.#input) return;
    this.#input.value = postcode;
    this.#close();
    void this.#check();
  }

  #close(): void {
    clearTimeout(this.#typing);
    this.#asking?.abort();
    this.#chosen = -1;
    this.#list.hidden = true;
    this.#list.replaceChildren();
    this.#input?.setAttribute("aria-expanded", "false");
    this.#input?.removeAttribute("aria-activedescendant");
  }

  async #check(): Promise<void> {
    const text = this.#input?.value.trim() ?? "";
    if (!text) return;
    try {
      const verdict = await this.#client?.validate(text);
      // Another text may have been typed since.
      if (!verdict || this.#input?.value.trim() !== text) return;
      if (verdict.postcode) this.#input.value = verdict.postcode;
      const wrong = {
        live: "",
        invalid: `Not a postcode: ${verdict.reason ?? ""}`,
        unknown: "There is no such postcode in the data.",
        terminated: "This postcode is no longer in use.",
        // Nothing is known about it, so it is accepted.
        not_covered: "",
      }[verdict.status];
      this.#tell(wrong);
      const record: Postcode | null = verdict.valid ? ((await this.#client?.lookup(text)) ?? null) : null;
      this.dispatchEvent(new CustomEvent("postcode", { bubbles: true, detail: { verdict, record } }));
    } catch {
      this.#tell("");
    }
  }

  /** Shows a message, and gives it to the form's validation. */
  #tell(text: string): void {
    this.#said.textContent = text;
    this.#input?.setCustomValidity(text);
    if (text) this.#input?.setAttribute("aria-invalid", "true");
    else this.#input?.removeAttribute("aria-invalid");
  }
}

customElements.define("postcode-field", PostcodeField);
