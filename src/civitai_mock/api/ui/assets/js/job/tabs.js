/**
 * The tabs of a job, in their order; a new one is a module beside this one, and an entry here.
 *
 * @module
 */

/** @typedef {Record<string, any> & {jobId: string, status: string, runsGraph: boolean, events: any[], callbacks: any[], results: any[]}} Job */

/**
 * @typedef {object} TabContext what a tab gets when it is opened
 * @property {HTMLElement} node is its place
 * @property {string} id of the job
 * @property {AbortSignal} signal ends all that it does
 */

/** @typedef {{open: (context: TabContext) => ((job: Job) => void)}} TabModule returns what shows a job, now and when it is another */
/** @typedef {{name: string, title: string, load: () => Promise<TabModule>}} TabEntry */

/** @type {readonly TabEntry[]} */
export const TABS = [
  { name: "timeline", title: "Timeline", load: () => import("./timeline.js") },
  { name: "result", title: "Result", load: () => import("./result.js") },
  { name: "request", title: "Request", load: () => import("./request.js") },
  { name: "status", title: "Status", load: () => import("./status.js") },
  { name: "graph", title: "Graph", load: () => import("./graph.js") },
  { name: "journal", title: "Journal", load: () => import("./journal.js") },
];
