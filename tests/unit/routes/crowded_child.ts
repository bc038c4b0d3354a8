/** A console in a process that runs out of open files: says its address, uses all files up, and frees them at a line. */

import { configureLogging } from "../../../core/logging.ts";
import { serve } from "../../../routes/serve.ts";
import { FakeNode } from "./fake_node.ts";
import { TOKEN } from "./support.ts";

await configureLogging("info");
Deno.addSignalListener("SIGTERM", () => Deno.exit(0)); // as main.ts does: Deno panics where its first one finds no file
const face = serve(new FakeNode(), TOKEN, { host: "127.0.0.1", port: 0 });
await (await fetch(`${face.url}/healthz`)).text();

const files: Deno.FsFile[] = [];
try {
  while (true) files.push(Deno.openSync("/dev/null"));
} catch {
  console.log(face.url);
}
await Deno.stdin.read(new Uint8Array(1));
for (const file of files) file.close();
