"use strict";
// A map of nothing but postcodes: each is a dot, and the streets show by themselves.

const SIDE = 480;
const SVG = "http://www.w3.org/2000/svg";

function drawn(tag, attributes, text) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

// The outcode and the first digit after it: what the post delivers from.
const sectorOf = (postcode) => postcode.slice(0, -2);

// The length of the bar that says the scale: the largest of 1, 2, 5 × 10ⁿ metres within a third of the map.
function barOf(radius) {
  const most = radius * 2 / 3, power = 10 ** Math.floor(Math.log10(most));
  return [5, 2, 1].map((n) => n * power).find((n) => n <= most);
}

// An SVG element of a map as the server gives it. North is up; metres are true along both axes.
function drawMap(map) {
  const pixels = SIDE / 2 / (map.radius * 1.04);
  // Metres in a degree, near enough for some kilometres (WGS84, mean radius 6 371 009 m).
  const metres = 6371009 * Math.PI / 180, narrowing = Math.cos(map.latitude * Math.PI / 180);
  const place = (latitude, longitude) => [
    SIDE / 2 + (longitude - map.longitude) * metres * narrowing * pixels,
    SIDE / 2 - (latitude - map.latitude) * metres * pixels,
  ].map((n) => +n.toFixed(1));

  const here = sectorOf(map.postcode), sectors = new Map();
  const size = Math.max(1.3, Math.min(4, 60 / Math.sqrt(map.around.length + 1)));
  const far = drawn("g", { class: "far" }), near = drawn("g", { class: "near" });
  for (const [postcode, latitude, longitude] of map.around) {
    const [x, y] = place(latitude, longitude), sector = sectorOf(postcode);
    const dot = drawn("circle", { cx: x, cy: y, r: size });
    dot.append(drawn("title", {}, postcode));
    (sector === here ? near : far).append(dot);
    const of = sectors.get(sector) ?? { x: 0, y: 0, count: 0 };
    sectors.set(sector, { x: of.x + x, y: of.y + y, count: of.count + 1 });
  }

  const labels = drawn("g", { "aria-hidden": "true" }), written = [[SIDE / 2, SIDE / 2 - 18], [SIDE / 2, SIDE / 2]];
  for (const [sector, { x, y, count }] of [...sectors].sort((a, b) => b[1].count - a[1].count)) {
    const [cx, cy] = [x / count, y / count];
    const free = written.every(([wx, wy]) => Math.abs(wx - cx) > 64 || Math.abs(wy - cy) > 22);
    const inside = cx > 36 && cx < SIDE - 36 && cy > 16 && cy < SIDE - 34;
    if (!free || !inside || (count < 4 && sectors.size > 12)) continue;
    written.push([cx, cy]);
    labels.append(drawn("text", { x: cx.toFixed(1), y: (cy + 4).toFixed(1), "text-anchor": "middle" }, sector));
  }

  const bar = barOf(map.radius), length = bar * pixels, bottom = SIDE - 14;
  const scale = drawn("g", {});
  scale.append(
    drawn("path", { class: "scale", fill: "none", d: `M14 ${bottom - 5}v5h${length.toFixed(1)}v-5` }),
    drawn("text", { x: 14 + length / 2, y: bottom - 6, "text-anchor": "middle" }, bar >= 1000 ? `${bar / 1000} km` : `${bar} m`),
  );
  const middle = { cx: SIDE / 2, cy: SIDE / 2 };
  const svg = drawn("svg", { class: "map", viewBox: `0 0 ${SIDE} ${SIDE}`, role: "img", "aria-labelledby": "map-title" });
  svg.append(
    drawn("title", { id: "map-title" }, `The ${map.around.length} postcodes within ${map.radius} metres of ${map.postcode}`),
    drawn("circle", { class: "extent", ...middle, r: (map.radius * pixels).toFixed(1) }),
    far, near, labels, scale,
    drawn("circle", { class: "ring", ...middle, r: 12 }),
    drawn("circle", { class: "here", ...middle, r: 5 }),
    drawn("text", { x: SIDE / 2, y: SIDE / 2 - 18, "text-anchor": "middle" }, map.postcode),
  );
  return svg;
}
