/** Damaged copies of recorded bytes at every codec that reads what strangers send: each is read, or refused with a typed error, within a bounded time. */

import { createHash } from "node:crypto";
import { type Bytes, concat, fromHex, hex, text, utf8 } from "../../core/base/bytes.ts";
import { messageOf, ProtocolError } from "../../core/base/errors.ts";
import { decode } from "../../core/base/msgpack.ts";
import { decodeTrustRequest } from "../../core/account/trust_request.ts";
import { decodePacket } from "../../core/dht/packet_reader.ts";
import { unpackValue } from "../../core/dht/value.ts";
import { Certificate, CertificateError } from "../../core/identity/certificate.ts";
import { RevocationList } from "../../core/identity/revocation.ts";
import { parseChannelName } from "../../core/messaging/channel_name.ts";
import { decodeDrt } from "../../core/messaging/drt_message.ts";
import { readPayload } from "../../core/messaging/payload.ts";
import { SipStream } from "../../core/messaging/sip_message.ts";
import { encodeLink, readLink } from "../../core/messaging/link_channel.ts";
import { decodeSync } from "../../core/messaging/sync_message.ts";
import { vcardName } from "../../core/messaging/vcard.ts";
import { parseCommit } from "../../core/swarm/commit.ts";
import { parseTree } from "../../core/swarm/object.ts";
import { emptyReader } from "../../core/swarm/overlay.ts";
import { parsePack } from "../../core/swarm/parse_pack.ts";
import { PktDecoder } from "../../core/swarm/pkt_line.ts";
import { FrameSplitter } from "../../core/transport/frames.ts";
import { MessageReader, parseControl } from "../../core/transport/mux_codec.ts";
import { decodePeerRequest } from "../../core/transport/peer_request.ts";
import { decodeStun } from "../../core/transport/stun.ts";
import { gitExchanges, gitFrames } from "../support/git_vectors.ts";
import { packets, values } from "../unit/dht/vectors.ts";
import { vectors } from "../unit/messaging/support.ts";
import { mutations, vector } from "../unit/transport/mutation.ts";

const BATCH = 200; // of each codec in turn
const LONGEST_READ = 2_000; // ms: far more than any needs, also on a busy machine

interface Codec {
  name: string;
  samples: Bytes[];
  read(bytes: Bytes): unknown;
  /** What it may throw. */
  error: abstract new (...args: never[]) => Error;
}

async function codecs(): Promise<Codec[]> {
  const bins = (...folders: string[]) => folders.flatMap((folder) => vectors(folder).map(([, bytes]) => bytes));
  const stun: { hex: string }[] = JSON.parse(text(vector("connection/stun.json"))).messages;
  const clone = gitExchanges("sync/clone.jsonl")[0];
  const objects = [...(await parsePack(clone.pack, emptyReader)).values()];
  const ofType = (wanted: string) => objects.filter(({ type }) => type === wanted).map(({ data }) => data);
  const all: [string, Bytes[], (bytes: Bytes) => unknown, Codec["error"]?][] = [
    ["msgpack", bins("sync", "today/sync", "today/msg"), decode],
    ["dht packet", packets.map(({ hex }) => fromHex(hex)), decodePacket],
    ["dht value", values.map(({ value_hex }) => fromHex(value_hex)), unpackValue],
    ["trust request", [vector("account/trustrequest.plain")], decodeTrustRequest],
    ["certificate", [vector("account/chain.pem")], (bytes) => Certificate.listFromPem(text(bytes)), CertificateError],
    ["revocation list", [vector("account/crl.der")], (bytes) => RevocationList.fromDer(bytes), CertificateError],
    ["stun", stun.map(({ hex }) => fromHex(hex)), decodeStun],
    ["frames", [vector("connection/a_to_b.bin").slice(0, 4000)], (bytes) => new FrameSplitter(8192).push(bytes)],
    ["mux", [vector("connection/mux_a_to_b.bin").slice(0, 2000)], readMux],
    ["peer request", [vector("connection/request.msgpack"), vector("connection/answer.msgpack")], decodePeerRequest],
    ["sip", bins("sync/sip"), (bytes) => new SipStream().push(bytes)],
    ["payload", [utf8('{"commit":"c","deviceId":"d","id":"i"}')], readNotification],
    [
      "sync",
      bins("today/sync").concat(vectors("sync").filter(([name]) => name.startsWith("sync")).map(([, b]) => b)),
      decodeSync,
    ],
    ["link", [encodeLink({ authScheme: "password" })], (bytes) => readLink(decode(bytes))],
    ["drt", bins("sync/drt", "today/drt"), decodeDrt],
    [
      "channel name",
      [utf8("data-transfer://conversation/device/file_1.png")],
      (bytes) => parseChannelName(text(bytes)),
    ],
    ["vcard", [utf8("BEGIN:VCARD\nVERSION:2.1\nFN:Asha\nEND:VCARD")], vcardName],
    [
      "pkt-line",
      gitFrames("sync/clone.jsonl").map(({ data }) => data.slice(0, 2000)),
      (bytes) => new PktDecoder().push(bytes),
    ],
    ["pack", [clone.pack], (bytes) => parsePack(sealed(bytes), emptyReader)],
    ["commit", ofType("commit"), (bytes) => parseCommit("0".repeat(40), bytes)],
    ["tree", ofType("tree"), parseTree],
  ];
  return all.map(([name, samples, read, error = ProtocolError]) => ({ name, samples, read, error }));
}

/** A pack whose checksum is right again: else nothing but the checksum would be tried. */
function sealed(pack: Bytes): Bytes {
  const body = pack.subarray(0, -20);
  return concat(body, createHash("sha1").update(body).digest());
}

function readMux(bytes: Bytes): void {
  for (const { channel, data } of new MessageReader().push(bytes)) if (channel === 0) parseControl(data);
}

function readNotification(bytes: Bytes): void {
  readPayload("application/im-gitmessage-id", text(bytes));
}

/** Tries all codecs in turn for so many seconds; what went wrong, with the bytes. */
export async function fuzzCodecs(seconds: number, seed: number, say: (line: string) => void): Promise<string[]> {
  const all = await codecs();
  const wrong: string[] = [];
  const end = performance.now() + seconds * 1_000;
  let rounds = 0;
  for (; performance.now() < end && wrong.length === 0; rounds++) {
    for (const codec of all) wrong.push(...await tryOut(codec, seed + rounds));
  }
  say(`${all.length} codecs, ${rounds * BATCH} damaged inputs each`);
  return wrong;
}

async function tryOut({ name, samples, read, error }: Codec, seed: number): Promise<string[]> {
  const wrong: string[] = [];
  for (const bytes of mutations(samples, BATCH, seed)) {
    const began = performance.now();
    try {
      await read(bytes);
    } catch (thrown) {
      if (!(thrown instanceof error)) wrong.push(`${name} threw ${messageOf(thrown)} at ${hex(bytes)}`);
    }
    const took = performance.now() - began;
    if (took > LONGEST_READ) wrong.push(`${name} took ${Math.round(took)} ms for ${hex(bytes)}`);
  }
  return wrong;
}
