/** Asking the person at the terminal for a password, while everything else goes on. */

/** Keys of a terminal in raw mode: Enter, Backspace, and Ctrl-C and Ctrl-D. */
const ENTER = "\r\n", ERASE = "\x7f\b", GIVE_UP = "\x03\x04";

/** What is typed, unseen; `null` when there is no terminal, or the person gives up. */
export async function askPassword(question: string): Promise<string | null> {
  if (!Deno.stdin.isTerminal()) return null;
  const say = (text: string) => Deno.stderr.writeSync(new TextEncoder().encode(text));
  const decoder = new TextDecoder(), buffer = new Uint8Array(256);
  let typed = "";
  say(`${question} `);
  Deno.stdin.setRaw(true);
  try {
    for (let n; (n = await Deno.stdin.read(buffer)) !== null;) {
      for (const character of decoder.decode(buffer.subarray(0, n), { stream: true })) {
        if (GIVE_UP.includes(character)) return null;
        if (ENTER.includes(character)) return typed;
        typed = ERASE.includes(character) ? [...typed].slice(0, -1).join("") : typed + character;
      }
    }
    return null;
  } finally {
    Deno.stdin.setRaw(false);
    say("\n");
  }
}
