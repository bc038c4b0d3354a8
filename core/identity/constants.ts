/** Every limit and every timer of this room, with its reason. Sections are those of account.md. */

/** Smallest RSA modulus accepted, in bits: the peers' verification profile refuses less (1.2). */
export const MIN_RSA_BITS = 2048;

/** Largest RSA modulus accepted, in bits: the cost of one operation grows with its square; the field uses 4096. */
export const MAX_RSA_BITS = 8192;

/** Largest public exponent accepted, in bits: everybody uses 65537 (17 bits), a long one makes verification slow. */
export const MAX_RSA_EXPONENT_BITS = 32;

/** The modulus of the keys we make, in bits (1.1). */
export const RSA_BITS = 4096;

/** Largest ciphertext we try to decrypt, in bytes: twice the largest DHT value (64 KiB). */
export const MAX_CIPHERTEXT = 128 * 1024;

/** Largest certificate accepted, in bytes: ours are 1.4 kB, those of organisations somewhat more. */
export const MAX_CERTIFICATE = 16 * 1024;

/** Most certificates in one chain: three is usual, organisations add some (11). */
export const MAX_CHAIN = 10;

/** Largest PEM text accepted, in bytes: a whole DHT value. */
export const MAX_CHAIN_PEM = 64 * 1024;

/** Largest serial number accepted, in bytes: RFC 5280 4.1.2.2 says 20, some authorities wrote more. */
export const MAX_SERIAL = 64;

/** Largest certificate revocation list accepted, in bytes: some 20,000 entries, far beyond one DHT value. */
export const MAX_CRL = 1024 * 1024;

/** Validity of the certificates we make, in ms: ten years of 365 days (1.1). */
export const CERTIFICATE_LIFETIME = 315_360_000_000;

/** How far in the past the validity of our certificates begins, in ms: peers whose clock is behind refuse them otherwise (14). */
export const CLOCK_LEEWAY = 5 * 60_000;

/** Length of the serial numbers we make, in bytes (1.1). */
export const SERIAL_BYTES = 8;

/** Largest receipt accepted, in characters: it holds one announcement of 1.7 kB in base64. */
export const MAX_RECEIPT = 16 * 1024;

/** Largest archive file accepted, in bytes: archives of thousands of conversations are some hundred kB. */
export const MAX_ARCHIVE = 8 * 1024 * 1024;

/** Largest JSON text accepted in an archive, in bytes, however small it was compressed. */
export const MAX_ARCHIVE_JSON = 32 * 1024 * 1024;

/** Most contacts, conversations or requests in an archive. */
export const MAX_CONTACTS = 100_000;

/** How long a PIN's place on the DHT stays the same, in ms (9.1). */
export const PIN_PERIOD = 1200_000;

/** Largest export under a PIN, in bytes: the largest DHT value (9.1). */
export const MAX_PIN_EXPORT = 64 * 1024;
