/** Where things lie in the data folder. */

import { join } from "node:path";

/** The database. @param data the data folder */
export function databasePath(data: string): string {
  return join(data, "kituo.db");
}

/** The folder of the device's keys. @param data the data folder */
export function identityPath(data: string): string {
  return join(data, "identity");
}

/** The folder of the repositories. @param data the data folder */
export function conversationsPath(data: string): string {
  return join(data, "conversations");
}

/** The folder of the files that members sent. @param data the data folder */
export function filesPath(data: string): string {
  return join(data, "files");
}

/** The folder of the histories that were refused and are kept aside. @param data the data folder */
export function refusedPath(data: string): string {
  return join(data, "refused");
}

/**
 * The repository of a conversation.
 * @param conversations the folder of the repositories
 * @param id a conversation's id: it becomes part of the path, so whoever has it from outside checks it first
 */
export function repositoryPath(conversations: string, id: string): string {
  return join(conversations, `${id}.git`);
}

/** The ids of the conversations that have a repository, by its name. @param conversations the folder of the repositories */
export async function repositoryIds(conversations: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(conversations));
  return entries.flatMap(({ name, isDirectory }) => isDirectory && /^([0-9a-f]{40})\.git$/.exec(name)?.[1] || [])
    .sort();
}
