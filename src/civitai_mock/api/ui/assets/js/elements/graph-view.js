/**
 * A graph that can be moved, made larger, searched and saved.
 *
 * @module
 */
import { download } from "../downloads.js";
import { drawGraph } from "../draw/graph.js";
import { el, fill, say } from "../el.js";
import { number } from "../format.js";

const MANY = 300; // nodes, of which a picture takes its time
const STEP = 1.25;
const [LEAST, MOST, READABLE] = [0.2, 4, 0.75];

/** @typedef {import("../draw/graph.js").Graph} Graph */

/**
 * @param {Graph} graph
 * @param {{label: string, file: string}} about
 * @returns {HTMLElement}
 */
export function graphView(graph, { label, file }) {
  const count = Object.keys(graph).length;
  const search = el("input", { type: "search", placeholder: "Find a node", "aria-label": "Find a node" });
  const hits = el("span", { class: "quiet", role: "status" });
  const canvas = el("div", { class: "canvas", tabindex: "0", "aria-label": "Graph; scroll to move it" });
  let [scale, width, height] = [0, 0, 0];
  const save = el("button", { type: "button", class: "small", on: { click: () => download(file, JSON.stringify(graph, null, 2), "application/json") } }, "Download JSON");
  const zoom = (/** @type {number} */ to) => {
    scale = Math.min(MOST, Math.max(LEAST, to));
    const picture = canvas.querySelector("svg");
    picture?.setAttribute("width", String(Math.round(width * scale)));
    picture?.setAttribute("height", String(Math.round(height * scale)));
  };
  const fit = () => zoom(Math.min(1, (canvas.clientWidth - 4) / width || 1));
  const tool = (/** @type {string} */ text, /** @type {string} */ name, /** @type {() => void} */ act) =>
    el("button", { type: "button", class: "small", "aria-label": name, on: { click: act } }, text);

  function draw() {
    const wanted = search.value.trim().toLowerCase();
    const found = new Set(
      wanted ? Object.entries(graph).filter(([id, node]) => `${id} ${JSON.stringify(node)}`.toLowerCase().includes(wanted)).map(([id]) => id) : [],
    );
    say(hits, wanted ? `${found.size} of ${number(count)}` : count === 1 ? "1 node" : `${number(count)} nodes`);
    const drawn = drawGraph(graph, { label, found });
    [width, height] = [drawn.width, drawn.height];
    fill(canvas, drawn.picture);
    if (scale) zoom(scale);
    else requestAnimationFrame(() => zoom(Math.max(READABLE, Math.min(1, canvas.clientWidth / width))));
    canvas.querySelector(".found")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  search.addEventListener("input", draw);
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(scale * (event.deltaY < 0 ? STEP : 1 / STEP));
  });
  drag(canvas);
  if (count > MANY) {
    say(hits, `${number(count)} nodes`);
    fill(canvas, el("p", { class: "state" }, `${number(count)} nodes take a moment to draw. `, el("button", { type: "button", on: { click: draw } }, "Draw them")));
  } else draw();
  return el(
    "div",
    { class: "page" },
    el(
      "div",
      { class: "actions" },
      search,
      hits,
      el("span", { class: "spring" }),
      tool("+", "Larger", () => zoom(scale * STEP)),
      tool("−", "Smaller", () => zoom(scale / STEP)),
      tool("Fit", "Fit", fit),
      save,
    ),
    canvas,
  );
}

/** @param {HTMLElement} canvas */
function drag(canvas) {
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType !== "mouse") return;
    const [x, y, left, top] = [event.clientX, event.clientY, canvas.scrollLeft, canvas.scrollTop];
    const move = (/** @type {PointerEvent} */ to) => canvas.scrollTo(left - (to.clientX - x), top - (to.clientY - y));
    const end = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
  });
}
