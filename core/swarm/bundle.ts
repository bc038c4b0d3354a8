/** A conversation as a git bundle (gitformat-bundle, version 2): one file that `git clone` takes. */

import { type Bytes, utf8 } from "../base/bytes.ts";
import type { Conversation } from "./conversation.ts";
import { buildPack } from "./pack_writer.ts";
import { missingObjects } from "./reachable.ts";

/** The whole history up to the present head, in chunks. `HEAD` is named too: a clone checks out what it names. */
export async function* bundleOf({ repository, head }: Conversation): AsyncGenerator<Bytes> {
  yield utf8(`# v2 git bundle\n${head} HEAD\n${head} refs/heads/main\n\n`);
  yield* buildPack(repository, await missingObjects(repository, head, []));
}
