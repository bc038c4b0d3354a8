/** A conversation as a git bundle (gitformat-bundle, version 2): one file that `git clone` takes. */

import { type Bytes, utf8 } from "../base/bytes.ts";
import type { Conversation } from "./conversation.ts";
import { buildPack } from "./pack_writer.ts";
import { missingObjects } from "./reachable.ts";
import { Repository, RepositoryError } from "./repository.ts";

/** The whole history up to the present head, in chunks. `HEAD` is named too: a clone checks out what it names. */
export async function* bundleOf(
  { repository, head }: Pick<Conversation, "repository" | "head">,
): AsyncGenerator<Bytes> {
  yield utf8(`# v2 git bundle\n${head} HEAD\n${head} refs/heads/main\n\n`);
  yield* buildPack(repository, await missingObjects(repository, head, []));
}

/** The same of a conversation that is not open, because it was left: nothing in the folder is touched. @throws {Error} when it is no repository */
export async function* bundleOfStored(dir: string): AsyncGenerator<Bytes> {
  const repository = await Repository.open(dir, { readOnly: true });
  try {
    const head = await repository.head();
    if (head === null) throw new RepositoryError(`${dir} has no history`);
    yield* bundleOf({ repository, head });
  } finally {
    await repository.close();
  }
}
