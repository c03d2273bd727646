import * as orchestrator from "@civitai/app-sdk/orchestrator";

const client = orchestrator.createOrchestratorClient({ baseUrl: "http://127.0.0.1:3000", accessToken: "any" });
const body = orchestrator.buildTextToImageBody({ prompt: "a fox" }, { tags: ["my-app"] });

const submitted = await orchestrator.submitWorkflow(client, body);
const finished = await orchestrator.pollWorkflow(client, submitted.id);
console.log(finished.status, ...orchestrator.extractImageUrls(finished));
