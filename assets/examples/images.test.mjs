import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

const MOCK = process.env.CIVITAI_BASE_URL ?? "http://127.0.0.1:3000";
const JOB = {
  $type: "textToImage",
  model: "urn:air:sd1:checkpoint:civitai:4384@128713",
  params: { prompt: "a fox" },
};

async function send(method, url, body = {}, headers = {}) {
  headers = { "Content-Type": "application/json", ...headers };
  const answer = await fetch(url, { method, headers, body: JSON.stringify(body) });
  return { status: answer.status, text: await answer.text() };
}

async function control(method, path, body) {
  const { status, text } = await send(method, `${MOCK}/_mock${path}`, body, { "X-Mock-Namespace": namespace });
  assert.ok(status < 300, text);
}

let namespace, jobs;

beforeEach(async (context) => {
  namespace = context.name.replace(/[^A-Za-z0-9]/g, "-").slice(0, 64);
  jobs = `${MOCK}/ns/${namespace}/v1/consumer/jobs`;
  await control("DELETE", `/namespaces/${namespace}`);
  await control("PUT", `/namespaces/${namespace}`, { seed: 7 });
});

test("a job ends with a PNG", async () => {
  const answer = await send("POST", `${jobs}?wait=true`, JOB);
  const [job] = JSON.parse(answer.text).jobs;
  const image = await fetch(job.result[0].blobUrl);
  assert.equal(Buffer.from(await image.arrayBuffer()).toString("latin1", 1, 4), "PNG");
});

test("only the first request is throttled", async () => {
  await control("POST", "/faults", { match: {}, preset: "throttle", times: 1 });
  assert.equal((await send("POST", jobs, JOB)).status, 429);
  assert.equal((await send("POST", jobs, JOB)).status, 202);
});
