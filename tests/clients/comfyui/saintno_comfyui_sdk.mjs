// npm's @saintno/comfyui-sdk, unchanged: address and graph on standard input, what it got on standard output.
import { CallWrapper, ComfyApi, PromptBuilder } from "@saintno/comfyui-sdk";
import { answer, holdUntil } from "./answer.mjs";

const PATIENCE_MS = 600_000; // a server that was silent for so long is taken for dead

await answer(async ({ url, graph }) => {
  const api = new ComfyApi(url, undefined, { wsTimeout: PATIENCE_MS });
  api.on("log", ({ detail }) => console.error(detail.fnName, detail.message));
  api.on("all", ({ detail }) => console.error(detail.type));
  holdUntil(new Promise((resolve) => api.on("executing", resolve))); // else it asks for the end before, and gives up
  const connected = new Promise((resolve) => api.on("connected", resolve));
  await Promise.all([connected, api.init().waitForReady()]); // it may be ready before it hears of anything
  const builder = new PromptBuilder(graph, ["seed"], ["images"]).setInputNode("seed", "3.inputs.seed");
  const previews = [];
  const result = await new CallWrapper(api, builder.setOutputNode("images", "9").input("seed", 5))
    .onPreview((blob) => previews.push(blob.size))
    .run();
  await api.storeSetting("Comfy.x", { a: 1 });
  await api.storeSettings({ "Comfy.y": 2 });
  await api.storeUserData("workflows/a.json", { nodes: [] });
  const said = {
    images: result.images.images,
    previews,
    extensions: await api.getExtensions(),
    user: await api.getUserConfig(),
    settings: await api.getSettings(),
    setting: await api.getSetting("Comfy.x"),
    stored: await api.listUserData("workflows", true),
    kept: await (await api.getUserData("workflows/a.json")).json(),
    embeddings: await api.getEmbeddings(),
    checkpoints: await api.getCheckpoints(),
    samplers: Object.keys(await api.getSamplerInfo()),
    folders: (await api.getModelFolders()).map((folder) => folder.name).slice(0, 2),
    files: (await api.getModelFiles("loras")).map((file) => file.name),
    types: (await api.getModelTypes()).length,
    templates: await api.getWorkflowTemplates(),
    features: await api.getFeatures(),
    logs: (await api.getTerminalLogs()).entries[0].m,
    freed: await api.freeMemory(true, true),
  };
  await api.setTerminalSubscription(true);
  api.destroy();
  return said;
});
