/** The files of one group: what is in them, and rules of its own in place of the node's settings. */

import {
  type FileContent,
  type GroupFilesApi,
  type GroupFilesChanges,
  type GroupFilesInfo,
  NodeError,
} from "./node_api.ts";
import { knownConversation } from "./node_groups.ts";
import type { Files } from "./relay/files.ts";
import type { Store } from "./store/store.ts";

export class NodeGroupFiles implements GroupFilesApi {
  constructor(
    private readonly store: Store,
    private readonly files: Pick<Files, "policy" | "setRules" | "isHere" | "content">,
  ) {}

  rules(id: string): GroupFilesInfo {
    knownConversation(this.store, id);
    const { perConversation, retentionDays, total } = this.files.policy.limits;
    return {
      ...this.store.fileRules.get(id),
      used: this.store.files.used(id),
      defaults: { quota: perConversation, retentionDays },
      total,
    };
  }

  change(id: string, changes: GroupFilesChanges): GroupFilesInfo {
    if (knownConversation(this.store, id).state === "left") {
      throw new NodeError("conflict", "the conversation was left");
    }
    const { quota, retentionDays } = this.store.fileRules.get(id);
    this.files.setRules(id, { quota, retentionDays, ...changes });
    return this.rules(id);
  }

  async content(conversation: string, id: string): Promise<FileContent> {
    const file = this.store.files.get(knownConversation(this.store, conversation).id, id);
    if (!file) throw new NodeError("not found", "There is no such file.");
    if (file.state !== "stored" || !await this.files.isHere(file)) {
      throw new NodeError("not found", "The file is not here.");
    }
    return { name: file.name, size: file.size, content: this.files.content(file) };
  }
}
