/** Byte strings: the one array type used in the whole program, and the few functions on it. */

/** Bytes that own an ordinary (not shared) buffer, as WebCrypto and streams want them. */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const lossy = new TextDecoder();
const strict = new TextDecoder("utf-8", { fatal: true });

/** The UTF-8 bytes of a text. */
export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/** The text of UTF-8 bytes; bytes that are not UTF-8 become U+FFFD. */
export function text(bytes: Uint8Array): string {
  return lossy.decode(bytes);
}

/** The text of UTF-8 bytes, or `null` when they are not UTF-8. */
export function strictText(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes);
  } catch {
    return null;
  }
}

/** One byte string after the other, in a new buffer. */
export function concat(...parts: Uint8Array[]): Bytes {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Are the two byte strings the same? Not constant in time: never for secrets. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Lower-case hex of bytes. */
export function hex(bytes: Uint8Array): string {
  return bytes.toHex();
}

/**
 * The bytes of a hex text.
 * @throws {SyntaxError} when the text is not pairs of hex digits
 */
export function fromHex(hexText: string): Bytes {
  return Uint8Array.fromHex(hexText);
}

/** Standard base64 with padding, no line breaks. */
export function base64(bytes: Uint8Array): string {
  return bytes.toBase64();
}

/**
 * The bytes of a standard base64 text; white space is allowed.
 * @throws {SyntaxError} when the text is not base64
 */
export function fromBase64(base64Text: string): Bytes {
  return Uint8Array.fromBase64(base64Text);
}

/** The same bytes with an ordinary buffer; a copy only when they do not have one. */
export function owned(bytes: Uint8Array): Bytes {
  return bytes.buffer instanceof ArrayBuffer && bytes.constructor === Uint8Array
    ? bytes as Bytes // reason: the check on the line above is what the type says
    : new Uint8Array(bytes);
}
