/**
 * The tab Result: the pictures, or in the first line why there are none.
 *
 * @module
 */
import { el, fill } from "../el.js";
import { remoteImage } from "../elements/remote-image.js";
import { hasEnded, stateBadge } from "../format.js";
import { reasonOf } from "./reason.js";

/** @param {import("./tabs.js").TabContext} context */
export function open({ node }) {
  let drawn = "";
  return (/** @type {import("./tabs.js").Job} */ job) => {
    const version = JSON.stringify([job.status, job.results]);
    if (version === drawn) return; // pictures that stay must not blink
    drawn = version;
    const available = job.results.filter((result) => result.available);
    const missing = job.results.length - available.length;
    const isOver = hasEnded(job.status);
    const why = isOver ? reasonOf(job) : "";
    fill(
      node,
      why && el("p", { class: "reason" }, why),
      !isOver && stateBadge("running", "Not done yet"),
      isOver && missing > 0 && available.length > 0 && el("p", {}, `${missing} of ${job.results.length} are not there.`),
      isOver && available.length === 0 && !why && el("p", {}, "It has no files."),
      el("div", { class: "pictures" }, available.map((result) => picture(job, result))),
    );
  };
}

/**
 * @param {import("./tabs.js").Job} job
 * @param {{blobKey: string, seed?: number, name?: string}} result
 */
function picture(job, { blobKey, seed, name }) {
  const alt = (job.prompt ?? job.type).slice(0, 1000);
  return el(
    "figure",
    {},
    remoteImage(`blobs/${encodeURIComponent(blobKey)}`, alt),
    el(
      "figcaption",
      { class: "small" },
      seed !== undefined && el("span", {}, `seed ${seed}`),
      name && el("span", {}, name),
      el("code", { class: "clip", title: blobKey }, blobKey),
    ),
  );
}
