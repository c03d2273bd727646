import { writeFile } from "node:fs/promises";

const MOCK = "http://127.0.0.1:3000";
const answer = await fetch(`${MOCK}/v1/consumer/jobs?wait=true`, {
  method: "POST",
  headers: { "Content-Type": "application/json", Authorization: "Bearer any" },
  body: JSON.stringify({
    $type: "textToImage",
    model: "urn:air:sd1:checkpoint:civitai:4384@128713",
    params: { prompt: "a fox in the snow", width: 512, height: 512, seed: 7 },
  }),
});
const [job] = (await answer.json()).jobs;
console.log(job.jobId, job.lastEvent.type);
const image = await fetch(job.result[0].blobUrl);
await writeFile("fox.png", new Uint8Array(await image.arrayBuffer()));
