/** Writes into a repository as fast as it can until it is killed: `DIR`. Prints each head once it is durable. */

import { type GitObject, gitObject, type Oid } from "../../core/swarm/object.ts";
import { Repository } from "../../core/swarm/repository.ts";
import { blob, buildTree } from "../../core/swarm/object.ts";
import { utf8 } from "../../core/base/bytes.ts";
import { commitData } from "./git_vectors.ts";

const repository = await Repository.open(Deno.args[0]);
let head: Oid | null = await repository.head();
for (let round = 0;; round++) {
  const label = `${Deno.pid} ${round}`;
  const file = blob(utf8(label));
  const tree = buildTree([{ mode: "100644", path: "f", oid: file.oid, type: "blob" }]);
  const commits: GitObject[] = [];
  for (let i = 0; i < (round % 2 ? 12 : 1); i++) {
    const parents: Oid[] = commits.length > 0 ? [commits[i - 1].oid] : head ? [head] : [];
    commits.push(gitObject("commit", commitData(tree.oid, parents, 1_700_000_000 + round, `${label} ${i}`)));
  }
  head = commits[commits.length - 1].oid;
  await repository.add([...commits.reverse(), tree, file]);
  await repository.setHead(head);
  console.log(head);
  await repository.repack();
}
