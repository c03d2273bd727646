// What the scripts beside this have in common: one question in, one answer out, and whatever the client prints elsewhere.
// All requests are told there, too, so that a client that waits for ever shows what for.
const send = globalThis.fetch;
const underWay = new Set();
let hasHeard = Promise.resolve();

globalThis.fetch = async (address, options = {}) => {
  const told = `${options.method ?? "GET"} ${new URL(address).pathname}`;
  const isPrompt = /^POST (\/api)?\/prompt$/.test(told);
  const answered = isPrompt ? sendPrompt(address, options) : send(address, options);
  underWay.add(answered);
  console.error(told);
  try {
    const response = await answered;
    console.error(told, response.status);
    return response;
  } finally {
    underWay.delete(answered);
  }
};

export async function answer(ask) {
  const print = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const said = await ask(JSON.parse(Buffer.concat(chunks)));
  print(JSON.stringify(said), () => process.exit(0));
}

// For a client that must also have heard of a prompt before it ends.
export function holdUntil(heard) {
  hasHeard = heard;
}

// These clients listen for what happens to a prompt only when they have read the answer to it, and wait for ever if it
// has ended by then, with a real ComfyUI as well. So its first node does not end before they listen.
async function sendPrompt(address, options) {
  await setStuck(address, true);
  const response = await send(address, options);
  const document = await response.json();
  response.json = async () => document; // the client goes on within this turn of the event loop
  setImmediate(() => release(address));
  return response;
}

async function release(address) {
  await hasHeard;
  while (underWay.size > 0) await Promise.allSettled(underWay);
  await setStuck(address, false);
}

async function setStuck(address, stuck) {
  const answered = await send(new URL("/standin/faults", address), { method: "POST", body: JSON.stringify({ stuck }) });
  if (!answered.ok) throw new Error(`the fault was refused with ${answered.status}`);
}
