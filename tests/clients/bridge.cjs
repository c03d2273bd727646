// Lets a test hold npm's `civitai`: calls come in as lines of JSON, and what they return goes out as lines of JSON.
// Run with the folder that the client is installed in.
"use strict";

const { createRequire } = require("node:module");
const path = require("node:path");
const readline = require("node:readline");

const [folder] = process.argv.slice(2);
const { Civitai, OpenAPI } = createRequire(path.join(folder, "bridge.cjs"))("civitai");

console.log = console.error; // the client talks, and the answers go where it would talk
const civitai = new Civitai({ auth: "any" });

async function answer({ server, method, args }) {
  OpenAPI.BASE = server;
  try {
    const [group, name] = method.split(".");
    return { value: await civitai[group][name](...args) };
  } catch (error) {
    return { error: String(error) };
  }
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(JSON.stringify(await answer(JSON.parse(line))) + "\n");
  }
}

main();
