/**
 * Why a job has no result.
 *
 * @module
 */

/** @type {Record<string, string>} */
const PLAIN = { Expired: "It was not done in time.", Deleted: "Somebody cancelled it.", Failed: "It failed, and said no more." };

/**
 * @param {{status: string, events: {context?: Record<string, unknown>}[]}} job
 * @returns {string} nothing for a job that succeeded
 */
export function reasonOf({ status, events }) {
  if (!(status in PLAIN)) return "";
  const context = events.at(-1)?.context ?? {};
  const said = [context.error, context.message ?? context.reason].filter((text) => typeof text === "string" && text !== "");
  return [...new Set(said)].join(": ") || PLAIN[status];
}
