/** Passkey dialogues (WebAuthn): what the browser is asked, and whether its answer is good. */

import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from "@simplewebauthn/server";
import { fromHex, owned } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { LruMap } from "../base/limits.ts";
import type { PasskeyRow } from "../store/admins.ts";
import type { Store } from "../store/store.ts";
import { CHALLENGE_AGE, MAX_CHALLENGES } from "./constants.ts";
import { AccessError } from "./errors.ts";

/** Where the console is open in the browser. */
export interface Site {
  /** "https://console.example" */
  origin: string;
  /** the host a passkey is bound to; null = passkeys cannot be used here, for the host is an address */
  rpId: string | null;
}

/** A dialogue that was begun. */
interface Challenge {
  /** id of the admin who gets a passkey; null = somebody signs in */
  admin: string | null;
  origin: string;
  /** ms */
  ends: number;
}

/** How it is shown by the authenticator. */
const RP_NAME = "Kituo";

/** The library, when a passkey is first used: with its ASN.1 it takes 20 MB, and a tenth of a second. */
const webauthn = () => import("@simplewebauthn/server");

const EXPIRED = "This passkey dialogue is over: begin again.";

/** Begins and ends dialogues. Each challenge is good once, for the site that began it. */
export class PasskeyDialogues {
  readonly #open = new LruMap<string, Challenge>(MAX_CHALLENGES);

  constructor(private readonly store: Store, private readonly clock: Clock) {}

  /**
   * What a browser needs to make a passkey.
   * @param admin id of who gets it; need not exist yet
   * @throws {AccessError} "conflict" where passkeys cannot be used
   */
  async beginRegistration(site: Site, admin: string, name: string): Promise<PublicKeyCredentialCreationOptionsJSON> {
    const { generateRegistrationOptions } = await webauthn();
    const options = await generateRegistrationOptions({
      rpName: RP_NAME,
      rpID: rpIdOf(site),
      userName: name,
      userDisplayName: name,
      userID: fromHex(admin),
      timeout: CHALLENGE_AGE,
      excludeCredentials: this.store.passkeys.of(admin).map(({ id }) => ({ id })),
      // the authenticator knows whom it signs in, and makes sure it is them: no name and no password are asked for
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
    });
    this.#remember(options.challenge, site, admin);
    return options;
  }

  /**
   * The passkey that a browser made, not kept yet.
   * @throws {AccessError} "unfit"
   */
  async finishRegistration(site: Site, response: RegistrationResponseJSON): Promise<Omit<PasskeyRow, "name">> {
    let challenge: Challenge | null = null;
    const { verifyRegistrationResponse } = await webauthn();
    const { registrationInfo } = await judged("unfit", () =>
      verifyRegistrationResponse({
        response,
        expectedChallenge: (text) => (challenge = this.#take(text, site)) !== null,
        expectedOrigin: site.origin,
        expectedRPID: rpIdOf(site),
      }));
    const admin = adminOf(challenge);
    if (!registrationInfo || admin === null) throw new AccessError("unfit", EXPIRED);
    const { id, publicKey, counter, transports = [] } = registrationInfo.credential;
    if (this.store.passkeys.get(id)) throw new AccessError("conflict", "This passkey is known already.");
    const created = this.clock.now();
    return { id, admin, publicKey: owned(publicKey), counter, transports: transports.join(","), created };
  }

  /** What a browser needs to sign somebody in: which passkey is for it and its owner to say. @throws {AccessError} */
  async beginSignIn(site: Site): Promise<PublicKeyCredentialRequestOptionsJSON> {
    const rpID = rpIdOf(site);
    const { generateAuthenticationOptions } = await webauthn();
    const options = await generateAuthenticationOptions({ rpID, timeout: CHALLENGE_AGE, userVerification: "required" });
    this.#remember(options.challenge, site, null);
    return options;
  }

  /** The passkey that a browser showed; its use is noted. @throws {AccessError} "unauthorised" */
  async finishSignIn(site: Site, response: AuthenticationResponseJSON): Promise<PasskeyRow> {
    const passkey = this.store.passkeys.get(response.id);
    if (!passkey) throw new AccessError("unauthorised", "This passkey is not known here.");
    let challenge: Challenge | null = null;
    const { verifyAuthenticationResponse } = await webauthn();
    const { verified, authenticationInfo } = await judged("unauthorised", () =>
      verifyAuthenticationResponse({
        response,
        expectedChallenge: (text) => (challenge = this.#take(text, site)) !== null,
        expectedOrigin: site.origin,
        expectedRPID: rpIdOf(site),
        credential: {
          id: passkey.id,
          publicKey: passkey.publicKey,
          counter: passkey.counter,
        },
      }));
    if (!verified || challenge === null || adminOf(challenge) !== null) throw new AccessError("unauthorised", EXPIRED);
    this.store.passkeys.used(passkey.id, authenticationInfo.newCounter, this.clock.now());
    return passkey;
  }

  #remember(challenge: string, { origin }: Site, admin: string | null): void {
    this.#open.set(challenge, { admin, origin, ends: this.clock.now() + CHALLENGE_AGE });
  }

  #take(challenge: string, { origin }: Site): Challenge | null {
    const begun = this.#open.get(challenge);
    this.#open.delete(challenge);
    return begun && begun.ends > this.clock.now() && begun.origin === origin ? begun : null;
  }
}

/** TypeScript does not see that a callback has written. */
function adminOf(challenge: Challenge | null): string | null {
  return challenge?.admin ?? null;
}

function rpIdOf({ rpId, origin }: Site): string {
  if (rpId !== null) return rpId;
  throw new AccessError("conflict", `Passkeys need a host name: they cannot be used at ${origin}.`);
}

/** The library throws errors of its own for all that a browser may send. */
async function judged<T>(fault: "unfit" | "unauthorised", verify: () => Promise<T>): Promise<T> {
  try {
    return await verify();
  } catch (error) {
    if (error instanceof AccessError) throw error;
    throw new AccessError(fault, `The passkey was refused: ${messageOf(error).slice(0, 200)}`, { cause: error });
  }
}
