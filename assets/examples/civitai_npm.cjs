const { Civitai, OpenAPI } = require("civitai");

const civitai = new Civitai({ auth: "any" });
OpenAPI.BASE = "http://127.0.0.1:3000/compat/sdk-2024";

const input = {
  model: "urn:air:sd1:checkpoint:civitai:4384@128713",
  params: { prompt: "a fox", width: 512, height: 512 },
};
civitai.image.fromText(input, true).then((made) => console.log(made.jobs[0].result.jobs[0].result.blobUrl));
