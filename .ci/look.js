// Looks at a page with axe-core: in light and dark, wide and narrow.
"use strict";

const fs = require("node:fs");
const puppeteer = require("puppeteer-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const VIEWS = [["light", 1280], ["dark", 1280], ["light", 320], ["dark", 320]];
const ARGS = ["--no-sandbox", "--disable-gpu", "--no-proxy-server"];

exports.opened = (browserPath) => puppeteer.launch({ executablePath: browserPath, args: ARGS, headless: "shell" });

// Adds what is wrong with a page to the problems. Returns how many views it looked at. `shots` is a folder for pictures.
exports.look = async (page, name, shots, problems) => {
  if (shots) fs.mkdirSync(shots, { recursive: true });
  for (const [scheme, width] of VIEWS) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await page.setViewport({ width, height: 800 });
    const where = `${name}, ${scheme}, ${width} px`;
    if (shots) await page.screenshot({ path: `${shots}/${name}-${scheme}-${width}.png`, fullPage: !name.endsWith("docs") });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    if (wide > width) problems.push(`${where}: the page is ${wide} px wide`);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    for (const { id, help, nodes } of violations) {
      problems.push(`${where}: ${id}: ${help}: ${nodes.slice(0, 3).map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary.split("\n")[1] ?? ""}`).join(" | ")}`);
    }
  }
  return VIEWS.length;
};
