// npm's @stable-canvas/comfyui-client, unchanged: address and graph on standard input, what it got on standard output.
// Its getLogs and getRawLogs ask for the logs below /api, where ComfyUI has none.
import { Client, Workflow } from "@stable-canvas/comfyui-client";
import { WebSocket } from "ws";
import { answer } from "./answer.mjs";

const PATIENCE_MS = 600_000;

await answer(async ({ url, graph }) => {
  const client = new Client({ api_host: new URL(url).host, WebSocket });
  await Promise.all([client.getSystemStats(), client.connect({ timeout_ms: PATIENCE_MS })]);
  const enqueued = await client.enqueue(graph);
  const workflow = new Workflow();
  const nodes = workflow.classes;
  const [model, clip, vae] = nodes.CheckpointLoaderSimple({ ckpt_name: graph["4"].inputs.ckpt_name });
  const [latent] = nodes.EmptyLatentImage({ width: 64, height: 64, batch_size: 2 });
  const encode = (text) => nodes.CLIPTextEncode({ text, clip })[0];
  const given = { ...graph["3"].inputs, seed: 9, model, positive: encode("a fox"), negative: encode(""), latent_image: latent };
  const [samples] = nodes.KSampler(given);
  nodes.SaveImage({ filename_prefix: "canvas", images: nodes.VAEDecode({ samples, vae })[0] });
  const invoked = await workflow.invoke(client);
  const polled = await client.enqueue_polling({ ...graph, 3: { ...graph["3"], inputs: { ...graph["3"].inputs, seed: 10 } } });
  await client.storeSetting("Comfy.x", "v");
  await client.storeSettings({ "Comfy.y": 2 });
  const said = {
    enqueued: enqueued.images.map(nameOf),
    invoked: invoked.images.map(nameOf),
    polled: polled.images.map(nameOf),
    extensions: await client.getExtensions(),
    embeddings: await client.getEmbeddings(),
    user: await client.getUserConfig(),
    settings: await client.getSettings(),
    setting: await client.getSetting("Comfy.x"),
    absent: await client.getSetting("nope"),
    folders: (await client.getModelFolders()).map((folder) => folder.name).slice(0, 2),
    files: (await client.getModels("loras")).map((file) => file.name),
    loras: await client.getLoRAs(),
    queue: await client.getQueue(),
  };
  client.close();
  return said;
});

function nameOf(image) {
  return image.type === "url" ? new URL(image.data).searchParams.get("filename") : image.type;
}
