/**
 * Draw a ComfyUI graph in API format as boxes and links, in layers by the longest path: data in, a picture out.
 *
 * @module
 */
import { svg } from "../el.js";

/** @typedef {{class_type?: string, inputs?: Record<string, unknown>, _meta?: {title?: string}}} Node */
/** @typedef {Record<string, Node>} Graph */
/** @typedef {{id: string, node: Node, values: [string, string][], links: Link[], x: number, y: number, height: number, layer: number}} Box */
/** @typedef {{name: string, from: string, slot: number}} Link */

const [WIDTH, GAP_X, GAP_Y, HEAD, ROW, PAD] = [240, 72, 24, 28, 18, 8];
const LETTERS = 30;

/**
 * @param {unknown} value
 * @returns {value is Graph}
 */
export function isGraph(value) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const nodes = Object.values(value);
  return nodes.length > 0 && nodes.every((node) => typeof node === "object" && node !== null && typeof node.class_type === "string");
}

/**
 * Return where each node stands: to the right of all that it reads.
 *
 * @param {Graph} graph
 * @returns {Box[]}
 */
export function layOut(graph) {
  const boxes = new Map(Object.entries(graph).map(([id, node]) => [id, boxOf(id, node, graph)]));
  const layers = layersOf(boxes);
  for (const box of boxes.values()) box.layer = layers.get(box.id) ?? 0;
  /** @type {Box[][]} */
  const columns = [];
  for (const box of boxes.values()) (columns[box.layer] ??= []).push(box);
  columns.forEach((column, layer) => {
    if (layer > 0) column.sort((a, b) => heightOfSources(a, boxes) - heightOfSources(b, boxes));
    let y = 0;
    for (const box of column) {
      [box.x, box.y] = [layer * (WIDTH + GAP_X), y];
      y += box.height + GAP_Y;
    }
  });
  return [...boxes.values()];
}

/**
 * @param {Graph} graph
 * @param {{label: string, found?: Set<string>}} how
 * @returns {{picture: SVGSVGElement, width: number, height: number}}
 */
export function drawGraph(graph, { label, found = new Set() }) {
  const boxes = layOut(graph);
  const byId = new Map(boxes.map((box) => [box.id, box]));
  const width = Math.max(WIDTH, ...boxes.map((box) => box.x + WIDTH));
  const height = Math.max(HEAD, ...boxes.map((box) => box.y + box.height));
  const links = boxes.flatMap((box) => box.links.map((link, row) => drawLink(box, link, row, byId.get(link.from))));
  const picture = svg(
    "svg",
    { class: "graph", role: "img", "aria-label": label, viewBox: `-8 -8 ${width + 16} ${height + 16}` },
    svg("g", {}, links),
    svg("g", {}, boxes.map((box) => drawBox(box, found.has(box.id)))),
  );
  return { picture, width: width + 16, height: height + 16 };
}

/**
 * @param {string} id
 * @param {Node} node
 * @param {Graph} graph
 * @returns {Box}
 */
function boxOf(id, node, graph) {
  /** @type {Link[]} */
  const links = [];
  /** @type {[string, string][]} */
  const values = [];
  for (const [name, value] of Object.entries(node.inputs ?? {})) {
    if (Array.isArray(value) && value.length === 2 && String(value[0]) in graph) {
      links.push({ name, from: String(value[0]), slot: Number(value[1]) || 0 });
    } else values.push([name, typeof value === "string" ? value : JSON.stringify(value) ?? ""]);
  }
  const height = HEAD + PAD + (links.length + values.length) * ROW;
  return { id, node, values, links, x: 0, y: 0, height, layer: 0 };
}

/**
 * Return the length of the longest path to each node; a link that closes a circle counts as none.
 *
 * @param {Map<string, Box>} boxes
 */
function layersOf(boxes) {
  /** @type {Map<string, number>} */
  const layers = new Map();
  const open = new Set();
  for (const start of boxes.keys()) {
    const stack = [start];
    while (stack.length > 0) {
      const id = /** @type {string} */ (stack.at(-1));
      const sources = (boxes.get(id)?.links ?? []).map((link) => link.from);
      const next = layers.has(id) ? undefined : sources.find((from) => !layers.has(from) && !open.has(from));
      if (next !== undefined) {
        open.add(id);
        stack.push(next);
        continue;
      }
      if (!layers.has(id)) layers.set(id, Math.max(-1, ...sources.map((from) => layers.get(from) ?? -1)) + 1);
      open.delete(id);
      stack.pop();
    }
  }
  return layers;
}

/**
 * @param {Box} box
 * @param {Map<string, Box>} boxes
 */
function heightOfSources(box, boxes) {
  const heights = box.links.map((link) => boxes.get(link.from)?.y ?? 0);
  return heights.length ? heights.reduce((sum, y) => sum + y, 0) / heights.length : 0;
}

/**
 * @param {Box} box
 * @param {Link} link
 * @param {number} row
 * @param {Box | undefined} source
 */
function drawLink(box, link, row, source) {
  if (!source) return null;
  const [x1, y1] = [source.x + WIDTH, source.y + HEAD / 2];
  const [x2, y2] = [box.x, box.y + HEAD + row * ROW + ROW / 2];
  const bend = Math.max(32, Math.abs(x2 - x1) / 2);
  return svg(
    "path",
    { class: "link", d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` },
    svg("title", {}, `${titleOf(source)} [${link.slot}] → ${titleOf(box)}: ${link.name}`),
  );
}

/**
 * @param {Box} box
 * @param {boolean} isFound
 */
function drawBox(box, isFound) {
  const rows = [...box.links.map((link) => [link.name, `← ${link.from}[${link.slot}]`]), ...box.values];
  return svg(
    "g",
    { class: isFound ? "node found" : "node", transform: `translate(${box.x} ${box.y})`, "data-node": box.id },
    svg("title", {}, [titleOf(box), ...rows.map(([name, value]) => `${name}: ${value}`)].join("\n")),
    svg("rect", { class: "box", width: WIDTH, height: box.height, rx: 6 }),
    svg("text", { class: "head", x: 10, y: HEAD / 2, "dominant-baseline": "central" }, cut(titleOf(box))),
    rows.map(([name, value], row) =>
      svg(
        "text",
        { class: "value", x: 10, y: HEAD + row * ROW + ROW / 2, "dominant-baseline": "central" },
        cut(`${name}: ${value}`),
      ),
    ),
  );
}

/** @param {Box} box */
function titleOf({ id, node }) {
  const title = node._meta?.title;
  const name = id.startsWith(node.class_type ?? "?") ? id : `${id} ${node.class_type ?? "?"}`;
  return `${name}${title && title !== node.class_type ? ` · ${title}` : ""}`;
}

/** @param {string} text */
function cut(text) {
  const letters = [...text.replace(/\s+/g, " ")];
  return letters.length > LETTERS ? `${letters.slice(0, LETTERS - 1).join("")}…` : letters.join("");
}
