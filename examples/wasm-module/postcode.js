// UK postcodes and addresses in a browser or in Node: loads the WebAssembly module next to this file, and gives its answers
// as values. The types are in postcode.d.ts.
import * as module from "./postcode_wasm.js";

const url = new URL("./postcode_wasm_bg.wasm", import.meta.url);
if (url.protocol === "file:") {
  // Node's fetch does not read files. Bundlers for browsers leave this branch alone.
  const { readFile } = await import(/* webpackIgnore: true */ /* @vite-ignore */ "node:fs/promises");
  await module.default({ module_or_path: await readFile(url) });
} else {
  await module.default({ module_or_path: url });
}

export const isPostcode = (text) => module.isPostcode(checked(text));
export const formatPostcode = (text) => module.formatPostcode(checked(text)) ?? null;
export const check = (text) => JSON.parse(module.check(checked(text)));
export const repair = (text) => JSON.parse(module.repair(checked(text)));
export const identify = (text) => JSON.parse(module.identify(checked(text)));
export const find = (text, { everything = false } = {}) => JSON.parse(module.find(checked(text), everything));
export const readAddress = (text) => JSON.parse(module.readAddress(checked(text)));

export const formatAddress = (elements, style = "guide") =>
  answered(() => module.formatAddress(JSON.stringify(elements ?? null), style));
export const addressLines = (elements, most, style = "guide") =>
  answered(() => module.addressLines(JSON.stringify(elements ?? null), most, style));

function checked(text) {
  if (typeof text !== "string") throw new TypeError(`This is not a text: ${text}`);
  return text;
}

// The module throws its reasons as texts.
function answered(ask) {
  let answer;
  try {
    answer = ask();
  } catch (reason) {
    throw typeof reason === "string" ? new TypeError(reason) : reason;
  }
  return JSON.parse(answer);
}
