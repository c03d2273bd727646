import { createCivitaiClient, submitWorkflow, getWorkflow } from "@civitai/client";

const client = createCivitaiClient({ baseUrl: "http://127.0.0.1:3000", auth: "any" });
const input = {
  engine: "sdcpp",
  ecosystem: "sd1",
  operation: "createImage",
  model: "urn:air:sd1:checkpoint:civitai:4384@128713",
  prompt: "a fox",
};
const body = { steps: [{ $type: "imageGen", input }] };

const estimate = await submitWorkflow({ client, body, query: { whatif: true } });
console.log(`It costs ${estimate.data.cost.total} Buzz.`);

let { data: workflow } = await submitWorkflow({ client, body, query: { wait: 30 } });
while (!["succeeded", "failed", "expired", "canceled"].includes(workflow.status)) {
  ({ data: workflow } = await getWorkflow({ client, path: { workflowId: workflow.id }, query: { wait: 30 } }));
}
console.log(workflow.status, workflow.steps[0].output.images[0].url);
