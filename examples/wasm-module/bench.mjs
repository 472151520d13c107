// How many texts a second are checked in this process, and by a service over HTTP on the same machine, in one run.
//   POSTCODE_WASM=dist node bench.mjs http://127.0.0.1:8080
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const { check, isPostcode } = await import(pathToFileURL(resolve(process.env.POSTCODE_WASM ?? "dist", "postcode.js")));
const url = process.argv[2];
const texts = ["SW1A 1AA", "m11ae", "EC1A 1BB", "SW1A OAA", "DN55 1PT", "SWX 1AA", "GIR 0AA", "B33-8TH"];

// Calls a second, of the best of five rounds: what else runs on the machine only makes a round slower.
async function best(count, round) {
  let most = 0;
  for (let n = 0; n < 5; n++) {
    const began = performance.now();
    await round(count);
    most = Math.max(most, (1000 * count) / (performance.now() - began));
  }
  return most;
}

const over = await best(1_000, async (count) => {
  for (let n = 0; n < count; n++) {
    const text = encodeURIComponent(texts[n % texts.length]);
    await (await fetch(`${url}/postcodes/${text}/validate?extended=true`)).json();
  }
});
for (const [name, count, call] of [["isPostcode", 1_000_000, isPostcode], ["check", 100_000, check]]) {
  const each = await best(count, (count) => {
    for (let n = 0; n < count; n++) call(texts[n % texts.length]);
  });
  console.log(`${name}: ${Math.round(each)} a second, ${Math.round(each / over)} times as many as over HTTP`);
}
console.log(`validate over HTTP, one after another: ${Math.round(over)} a second`);
