// npm's comfy-ui-client, unchanged: address and graph on standard input, what it got on standard output.
import { ComfyUIClient } from "comfy-ui-client";
import { answer } from "./answer.mjs";

await answer(async ({ url, graph }) => {
  const client = new ComfyUIClient(new URL(url).host, "comfy-ui-client");
  await client.connect();
  const images = await client.getImages(graph);
  const uploaded = await client.uploadImage(Buffer.from("x"), "in.png", true);
  const said = {
    images: Object.values(images).flat().map(({ image }) => image),
    types: await Promise.all(Object.values(images).flat().map(async ({ blob }) => blob.type)),
    extensions: await client.getExtensions(),
    embeddings: await client.getEmbeddings(),
    prompt: await client.getPrompt(),
    queue: await client.getQueue(),
    node: Object.keys(await client.getObjectInfo("KSampler")),
    devices: (await client.getSystemStats()).devices.length,
    uploaded: uploaded.name,
  };
  await client.disconnect();
  return said;
});
