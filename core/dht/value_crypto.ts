/** Signing, verifying, encrypting and decrypting values (opendht.md 4.1 to 4.3). */

import { ProtocolError } from "../base/errors.ts";
import { asMap, decode, encode } from "../base/msgpack.ts";
import type { PrivateKey, PublicKey } from "../identity/keys.ts";
import { contentFields, readContent, signedBytes, type Value } from "./value.ts";

/** The same value with owner, `seq` (0 if it had none) and signature. */
export async function signValue(value: Value, key: PrivateKey): Promise<Value> {
  const owned: Value = { ...value, owner: key.publicKey, seq: value.seq ?? 0 };
  return { ...owned, signature: await key.sign(signedBytes(owned)) };
}

/** Is the value signed by its owner? `false` for a value without owner. */
export async function verifyValue(value: Value): Promise<boolean> {
  if (!value.owner || !value.signature || value.cypher) return false;
  try {
    return await value.owner.verify(signedBytes(value), value.signature);
  } catch {
    return false; // A key the library cannot use has signed nothing.
  }
}

/** The value signed by `from`, for `to` only. */
export async function encryptValue(value: Value, from: PrivateKey, to: PublicKey): Promise<Value> {
  const signed = await signValue({ ...value, to: to.id }, from);
  const { id, priority, pushType } = value;
  const cypher = await to.encrypt(encode(contentFields(signed)));
  return { id, type: 0, data: new Uint8Array(0), cypher, priority, pushType };
}

/**
 * What was encrypted to `key`: signed by its `owner`, meant for `key`. `null` for everything else alike: such values
 * are normal at shared keys
 * (4.3). Costs a private-key operation: remember the outcome per cypher.
 */
export async function decryptValue(value: Value, key: PrivateKey): Promise<Value | null> {
  if (!value.cypher) return null;
  const plain = await key.decrypt(value.cypher);
  if (!plain) return null;
  try {
    const { id, priority, pushType } = value;
    const inner: Value = { id, ...readContent(asMap(decode(plain), "content")), priority, pushType };
    if (inner.to !== key.publicKey.id || !await verifyValue(inner)) return null;
    return inner;
  } catch (error) {
    if (error instanceof ProtocolError) return null;
    throw error;
  }
}
