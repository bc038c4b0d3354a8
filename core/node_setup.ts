/** The set-up of a node after its first admin is made: where it stands, and what its steps change. */

import { join } from "node:path";
import { fromBase64 } from "./base/bytes.ts";
import type { Config } from "./config.ts";
import { pictureOf } from "./messaging/vcard.ts";
import { type Doer, NodeError, type NodeSettings } from "./node_api.ts";
import {
  type ImportState,
  SETUP_STEPS,
  type SetupApi,
  type SetupChanges,
  type SetupSettings,
  type SetupStep,
} from "./node_api_setup.ts";
import { checkPicture } from "./node_groups.ts";
import type { Takeover } from "./node_takeover.ts";
import type { Store } from "./store/store.ts";

/** Where the step is kept. */
const STEP = "console.setup.step";

export interface NodeSetupOptions {
  config: Config;
  store: Store;
  takeover: Takeover;
  configure(settings: NodeSettings): Promise<void>;
}

export class NodeSetup implements SetupApi {
  constructor(private readonly options: NodeSetupOptions) {}

  get step(): SetupStep | null {
    const kept = this.options.store.settings.get(STEP);
    return SETUP_STEPS.find((step) => step === kept) ?? null;
  }

  get settings(): SetupSettings {
    const { name, acceptRequests, allowlist } = this.options.config;
    return { name, acceptRequests, allowlist };
  }

  begin(): void {
    this.options.store.settings.set(STEP, SETUP_STEPS[0]);
  }

  async finish(step: SetupStep, { picture, ...settings }: SetupChanges): Promise<SetupStep | null> {
    const { store, configure } = this.options;
    const path = picture ? await this.#keepPicture(picture) : undefined;
    const all: NodeSettings = { ...settings, ...path !== undefined && { picture: path } };
    if (Object.keys(all).length > 0) await configure(all);
    if (this.step === step) {
      const next = SETUP_STEPS[SETUP_STEPS.indexOf(step) + 1];
      if (next) store.settings.set(STEP, next);
      else store.settings.delete(STEP);
    }
    return this.step;
  }

  get importing(): ImportState {
    return this.options.takeover.importing;
  }

  get mayImport(): boolean {
    const { contacts, conversations } = this.options.store;
    return contacts.all().length === 0 && conversations.all().length === 0;
  }

  importArchive(file: Uint8Array, password: string, { actor, address }: Doer): void {
    if (!this.mayImport) {
      throw new NodeError(
        "conflict",
        "This node has contacts or conversations already: it stays the account that it is.",
      );
    }
    this.options.takeover.begin(file, password, () => this.mayImport);
    this.options.store.audit.append({ actor, address, action: "account.import", target: "", detail: "" });
  }

  /** Puts a picture into the data folder. @returns its path, for the settings */
  async #keepPicture(base64: string): Promise<string> {
    checkPicture(base64);
    const data = fromBase64(base64);
    const kind = pictureOf(data)?.type === "PNG" ? "png" : "jpg";
    const path = join(await Deno.realPath(this.options.config.data), `picture.${kind}`);
    const draft = `${path}.new`;
    {
      using file = await Deno.open(draft, { create: true, write: true, truncate: true, mode: 0o600 });
      for (let at = 0; at < data.length;) at += await file.write(data.subarray(at));
      await file.sync();
    }
    await Deno.rename(draft, path);
    return path;
  }
}
