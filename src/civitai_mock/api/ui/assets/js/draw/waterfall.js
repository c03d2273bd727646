/**
 * Draw what happened to a job as bars and dots on one time axis: data in, a picture out.
 *
 * A bar has a least width, so that a step of 8 ms is seen; a long time in which nobody works is folded.
 *
 * @module
 */
import { svg } from "../el.js";
import { duration } from "../format.js";

/** @typedef {"waiting" | "running" | "done" | "bad"} State */
/** @typedef {{label: string, from: number, to: number, state: State, title?: string}} Bar */
/** @typedef {{at: number, state: State, title: string}} Dot */
/** @typedef {{label: string, bars: Bar[], dots: Dot[]}} Row */
/** @typedef {{rows: Row[], from: number, to: number, label: string}} Waterfall times are in ms */
/** @typedef {{from: number, to: number, x: number, width: number, isFolded: boolean}} Stretch */

const [ROW, BAR, LABELS, RIGHT, TOP] = [28, 14, 128, 72, 24];
const LEAST = 3;
const FOLD = 36;
const FOLDED_FROM = 4; // times as long as all the rest
const TICKS = 5;
const TICK = 48; // px, with its text

/**
 * @param {Waterfall} waterfall
 * @param {number} width in px
 * @returns {SVGSVGElement}
 */
export function drawWaterfall({ rows, from, to, label }, width) {
  const stretches = layOut(rows, from, to, Math.max(80, width - LABELS - RIGHT));
  const place = (/** @type {number} */ at) => tenth(LABELS + positionOf(stretches, at));
  const height = TOP + rows.length * ROW + 4;
  return svg(
    "svg",
    { class: "waterfall", role: "img", "aria-label": label, viewBox: `0 0 ${width} ${height}`, width, height },
    ticks(stretches, from, to, (width - LABELS - RIGHT) / TICK).map(({ at, text }) => tick(place(at), text, height)),
    stretches.filter((stretch) => stretch.isFolded).map((stretch) => fold(tenth(LABELS + stretch.x), stretch, height)),
    rows.map((row, index) => drawRow(row, TOP + index * ROW, place, width)),
  );
}

/**
 * @param {Row} row
 * @param {number} y
 * @param {(at: number) => number} place
 * @param {number} width
 */
function drawRow(row, y, place, width) {
  const middle = y + ROW / 2;
  return svg(
    "g",
    {},
    svg("text", { class: "label", x: 0, y: middle, "dominant-baseline": "central" }, row.label),
    row.bars.map((bar) => drawBar(bar, middle, place, width, row.bars.length === 1)),
    row.dots.map((dot) => drawDot(dot, middle, place)),
  );
}

/**
 * @param {Bar} bar
 * @param {number} middle
 * @param {(at: number) => number} place
 * @param {number} width
 * @param {boolean} isOnly whether there is room beside it
 */
function drawBar(bar, middle, place, width, isOnly) {
  const x = place(bar.from);
  const long = tenth(Math.max(LEAST, place(bar.to) - x));
  const text = duration(bar.to - bar.from);
  const fits = x + long + 6 + text.length * 7 <= width;
  return svg(
    "g",
    {},
    svg("rect", { class: `bar ${bar.state}`, x, y: middle - BAR / 2, width: long, height: BAR, rx: 3 }),
    isOnly &&
      svg(
        "text",
        {
          class: fits ? "length" : "length inside",
          x: tenth(fits ? x + long + 6 : x + long - 6),
          y: middle,
          "text-anchor": fits ? "start" : "end",
          "dominant-baseline": "central",
        },
        text,
      ),
    svg("title", {}, bar.title ?? `${bar.label}: ${text}`),
  );
}

/**
 * @param {Dot} dot
 * @param {number} middle
 * @param {(at: number) => number} place
 */
function drawDot(dot, middle, place) {
  const x = place(dot.at);
  const title = svg("title", {}, dot.title);
  if (dot.state !== "bad") return svg("circle", { class: `dot ${dot.state}`, cx: x, cy: middle, r: 4 }, title);
  const [left, right] = [tenth(x - 5), tenth(x + 5)];
  const points = `${x},${middle - 5} ${right},${middle} ${x},${middle + 5} ${left},${middle}`;
  return svg("polygon", { class: "dot bad", points }, title);
}

/**
 * @param {number} x
 * @param {string} text
 * @param {number} height
 */
function tick(x, text, height) {
  return svg(
    "g",
    {},
    svg("line", { class: "tick", x1: x, x2: x, y1: TOP - 4, y2: height }),
    svg("text", { class: "axis", x, y: TOP - 10, "text-anchor": "middle" }, text),
  );
}

/**
 * @param {number} x
 * @param {Stretch} stretch
 * @param {number} height
 */
function fold(x, stretch, height) {
  return svg(
    "g",
    {},
    svg("rect", { class: "fold", x: tenth(x + 4), y: TOP - 4, width: stretch.width - 8, height: height - TOP + 4 }),
    svg("title", {}, `${duration(stretch.to - stretch.from)} in which nothing happened`),
  );
}

/**
 * Divide the time at all that begins, ends or happens, and fold what is long and idle.
 *
 * @param {readonly Row[]} rows
 * @param {number} from
 * @param {number} to
 * @param {number} room
 * @returns {Stretch[]}
 */
export function layOut(rows, from, to, room) {
  const bars = rows.flatMap((row) => row.bars);
  const times = [from, to, ...bars.flatMap((bar) => [bar.from, bar.to]), ...rows.flatMap((row) => row.dots.map((dot) => dot.at))];
  const marks = [...new Set(times)].filter((at) => at >= from && at <= to).sort((a, b) => a - b);
  /** @type {Stretch[]} */
  const stretches = marks.slice(1).map((end, index) => ({ from: marks[index], to: end, x: 0, width: 0, isFolded: false }));
  const works = (/** @type {Stretch} */ { from: begin, to: end }) =>
    bars.some((bar) => bar.state !== "waiting" && bar.from < end && bar.to > begin);
  const byLength = [...stretches].sort((a, b) => b.to - b.from - (a.to - a.from));
  let rest = to - from;
  for (const stretch of byLength) {
    const long = stretch.to - stretch.from;
    if (works(stretch) || stretches.length < 3 || long < FOLDED_FROM * (rest - long) || rest === long) continue;
    stretch.isFolded = true;
    rest -= long;
  }
  const scale = (room - FOLD * stretches.filter((stretch) => stretch.isFolded).length) / Math.max(rest, 1);
  let x = 0;
  for (const stretch of stretches) {
    stretch.x = x;
    stretch.width = stretch.isFolded ? FOLD : (stretch.to - stretch.from) * scale;
    x += stretch.width;
  }
  return stretches;
}

/** @param {number} px */
function tenth(px) {
  return Math.round(px * 10) / 10;
}

/**
 * @param {readonly Stretch[]} stretches
 * @param {number} at
 */
function positionOf(stretches, at) {
  const found = stretches.find((stretch) => at <= stretch.to) ?? stretches.at(-1);
  if (!found) return 0;
  const share = (Math.min(Math.max(at, found.from), found.to) - found.from) / Math.max(found.to - found.from, 1e-9);
  return found.x + share * found.width;
}

/**
 * Return round times of the axis, none of them in a fold.
 *
 * @param {readonly Stretch[]} stretches
 * @param {number} from
 * @param {number} to
 * @param {number} most
 */
function ticks(stretches, from, to, most) {
  const folded = stretches.filter((stretch) => stretch.isFolded);
  const shown = to - from - folded.reduce((sum, stretch) => sum + stretch.to - stretch.from, 0);
  const rough = shown / Math.max(1.5, Math.min(TICKS, most));
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough) ?? 10 * power;
  /** @type {{at: number, text: string}[]} */
  const found = [];
  for (const stretch of joined(stretches.filter((one) => !one.isFolded))) {
    const first = Math.ceil((stretch.from - from) / step);
    for (let count = first; from + count * step <= stretch.to && found.length < 40; count += 1) {
      found.push({ at: from + count * step, text: count === 0 ? "0" : duration(count * step) });
    }
  }
  return found.filter((tick, index) => tick.text !== found[index - 1]?.text);
}

/**
 * @param {readonly Stretch[]} stretches
 * @returns {{from: number, to: number}[]}
 */
function joined(stretches) {
  /** @type {{from: number, to: number}[]} */
  const found = [];
  for (const stretch of stretches) {
    const last = found.at(-1);
    if (last && last.to === stretch.from) last.to = stretch.to;
    else found.push({ from: stretch.from, to: stretch.to });
  }
  return found;
}
