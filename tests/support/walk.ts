/** The files below `folder` (relative to `root`, as are the results) whose names match. */
export async function* walk(root: URL, folder: string, name: RegExp): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(new URL(folder, root))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* walk(root, path, name);
    else if (name.test(entry.name)) yield path;
  }
}
