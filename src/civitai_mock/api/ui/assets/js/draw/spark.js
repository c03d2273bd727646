/**
 * Draw numbers as a small line: data in, a picture out.
 *
 * @module
 */
import { svg } from "../el.js";

const [WIDTH, HEIGHT] = [160, 24];

/**
 * @param {readonly number[]} values
 * @param {string} label
 * @returns {SVGSVGElement}
 */
export function drawSpark(values, label) {
  const most = Math.max(...values, 1e-9);
  const step = WIDTH / Math.max(values.length - 1, 1);
  const points = values.map((value, index) => `${(index * step).toFixed(1)},${(HEIGHT - 1 - (value / most) * (HEIGHT - 2)).toFixed(1)}`);
  return svg(
    "svg",
    { class: "spark", role: "img", "aria-label": label, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT },
    svg("polyline", { points: points.join(" ") }),
  );
}
