/**
 * The libgit2 that Jami's peers link, as a client of its own: `clone URL DIR` or `fetch DIR`. A process of its own, for it blocks.
 * Ends with 1 and the library's words when it fails.
 */

const ERROR_TEXT_AT = 0;
const LIBRARY = "libgit2.so.1.5";

const { symbols } = Deno.dlopen(LIBRARY, {
  git_libgit2_init: { parameters: [], result: "i32" },
  git_clone: { parameters: ["buffer", "buffer", "buffer", "pointer"], result: "i32" },
  git_repository_open: { parameters: ["buffer", "buffer"], result: "i32" },
  git_remote_lookup: { parameters: ["buffer", "pointer", "buffer"], result: "i32" },
  git_remote_fetch: { parameters: ["pointer", "pointer", "pointer", "pointer"], result: "i32" },
  git_error_last: { parameters: [], result: "pointer" },
});

const cString = (value: string) => new TextEncoder().encode(value + "\0");

function check(code: number): void {
  if (code >= 0) return;
  const error = symbols.git_error_last();
  const text = error && Deno.UnsafePointer.create(new Deno.UnsafePointerView(error).getBigUint64(ERROR_TEXT_AT));
  console.error(text ? new Deno.UnsafePointerView(text).getCString() : `error ${code}`);
  Deno.exit(1);
}

/** Calls what puts a pointer into its first argument. */
function made(make: (out: BigUint64Array<ArrayBuffer>) => number): Deno.PointerValue {
  const out = new BigUint64Array(1);
  check(make(out));
  return Deno.UnsafePointer.create(out[0]);
}

symbols.git_libgit2_init();
const [verb, ...args] = Deno.args;
if (verb === "clone") made((out) => symbols.git_clone(out, cString(args[0]), cString(args[1]), null));
else {
  const repository = made((out) => symbols.git_repository_open(out, cString(args[0])));
  const remote = made((out) => symbols.git_remote_lookup(out, repository, cString("origin")));
  check(symbols.git_remote_fetch(remote, null, null, null));
}
