/** The set-up of the small node. */

import {
  type ImportState,
  NodeError,
  SETUP_STEPS,
  type SetupApi,
  type SetupChanges,
  type SetupStep,
} from "../../../core/node_api.ts";

export class FakeSetup implements SetupApi {
  step: SetupStep | null = null;
  settings = { name: "K", acceptRequests: "manual" as const, allowlist: [] };
  importing: ImportState = { state: "none" };
  mayImport = true;
  /** what the steps said */
  readonly told: SetupChanges[] = [];
  /** what was imported: bytes and password */
  readonly imported: [number, string][] = [];

  begin(): void {
    this.step = "node";
  }

  async finish(step: SetupStep, changes: SetupChanges): Promise<SetupStep | null> {
    await Promise.resolve();
    this.told.push(changes);
    if (this.step === step) this.step = SETUP_STEPS[SETUP_STEPS.indexOf(step) + 1] ?? null;
    return this.step;
  }

  importArchive(file: Uint8Array, password: string): void {
    if (!this.mayImport) throw new NodeError("conflict", "This node has contacts.");
    this.imported.push([file.length, password]);
    this.importing = { state: "running", step: "open" };
  }
}
