/** From the start of the process to being of use: on the DHT, and announced there. The account exists already. */

import { JamiDaemon } from "../interop/driver/daemon.ts";
import { Network } from "../interop/driver/network.ts";
import { readyKituo } from "../interop/driver/scenario.ts";
import { type Figure, median, timed } from "./measure.ts";
import { KITUO_ARGS } from "./world.ts";

const ROUNDS = 3;

export async function startup(): Promise<Figure[]> {
  await using network = await Network.up();
  await using kituo = await readyKituo(network, "kituo", ...KITUO_ARGS);
  await using daemon = await JamiDaemon.start(network, "headless", { client: false });
  await daemon.createAccount();
  await daemon.waitRegistered();
  const times = { kituo: [] as number[], daemon: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    await kituo.stop();
    times.kituo.push(
      await timed(async () => {
        await kituo.start();
        await kituo.waitReady();
      }),
    );
    await daemon.stop();
    times.daemon.push(
      await timed(async () => {
        await daemon.start();
        await daemon.waitRegistered();
      }),
    );
  }
  return [{ what: "start to announced", unit: "ms", kituo: median(times.kituo), daemon: median(times.daemon) }];
}
