/** The names of accounts and devices (account.md 0). All are lower-case hex texts. */

/** Jami ID: SHA-1 of the account key's SubjectPublicKeyInfo, 40 hex digits. Also called "uri". */
export type AccountId = string;

/** SHA-256 of the device key's SubjectPublicKeyInfo, 64 hex digits. */
export type DeviceId = string;

/** SHA-1 of the device key's SubjectPublicKeyInfo, 40 hex digits: the older name of a device. */
export type ShortId = string;

/** Is the text an account id? */
export function isAccountId(text: unknown): text is AccountId {
  return typeof text === "string" && /^[0-9a-f]{40}$/.test(text);
}

/** Is the text a device id? */
export function isDeviceId(text: unknown): text is DeviceId {
  return typeof text === "string" && /^[0-9a-f]{64}$/.test(text);
}
