// Lets a test hold Civitai's npm packages for version 2: calls come in as lines of JSON, and what they return goes out
// as lines of JSON. It has to lie beside `node_modules`; @civitai/client is written for bundlers, so node runs it by tsx.
// A file is {"$bytes": base64, "type": its media type}, on both ways.
import readline from "node:readline";

import * as api from "@civitai/client";
import * as sdk from "@civitai/app-sdk/orchestrator";

console.log = console.error; // the answers go where packages would talk

/** Call one function of @civitai/client, as an app does that has made a client of its own. */
async function callApi(server, name, options) {
  const client = api.createCivitaiClient({ baseUrl: server, auth: "any" });
  const { data, error, response } = await api[name]({ client, ...(await read(options ?? {})) });
  return { status: response.status, headers: Object.fromEntries(response.headers), ...(await written({ data, error })) };
}

/** Call one function of @civitai/app-sdk; those that talk to a server take its client first. */
async function callSdk(server, name, args) {
  const client = sdk.createOrchestratorClient({ baseUrl: server, accessToken: "any" });
  return name.startsWith("build") || name.startsWith("extract") ? sdk[name](...args) : sdk[name](client, ...args);
}

function patchOf(operations) {
  const factory = new api.JsonPatchFactory();
  operations.forEach((operation) => factory.addOperation(operation));
  return factory.operations;
}

async function read(options) {
  const { body, patch } = options;
  if (patch !== undefined) return { ...options, body: patchOf(patch) };
  if (body?.$bytes === undefined) return options;
  const file = new Blob([Buffer.from(body.$bytes, "base64")], { type: body.type });
  return { ...options, body: file, bodySerializer: null, headers: { "Content-Type": body.type } };
}

async function written({ data, error }) {
  if (!(data instanceof Blob)) return { data, error };
  const bytes = Buffer.from(await data.arrayBuffer());
  return { data: { $bytes: bytes.toString("base64"), type: data.type } };
}

async function answer({ server, method, args }) {
  const [owner, name] = method.split(".");
  try {
    return { value: owner === "sdk" ? await callSdk(server, name, args) : await callApi(server, name, args[0]) };
  } catch (error) {
    return { error: `${error.name}: ${error.message} ${JSON.stringify(error.body ?? null)}` };
  }
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(await answer(JSON.parse(line))) + "\n");
}
