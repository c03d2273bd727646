// What the scripts beside this have in common: one question in, one answer out, and whatever the client prints elsewhere.
export async function answer(ask) {
  const print = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const said = await ask(JSON.parse(Buffer.concat(chunks)));
  print(JSON.stringify(said), () => process.exit(0));
}
