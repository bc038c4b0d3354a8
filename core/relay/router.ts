/** Which channels are accepted from whom (connection.md 9, swarm-sync.md 1.6 and 10). Authority comes from the certificate, never from the name. */

import type { Clock } from "../base/clock.ts";
import { LruMap, Semaphore } from "../base/limits.ts";
import type { DeviceId } from "../identity/ids.ts";
import { parseChannelName } from "../messaging/channel_name.ts";
import type { Messenger } from "../messaging/messenger.ts";
import { answerServiceQueries } from "../messaging/service_discovery.ts";
import type { Conversation } from "../swarm/conversation.ts";
import type { Oid } from "../swarm/object.ts";
import { traced } from "../base/trace.ts";
import { serveGit } from "../swarm/upload_pack.ts";
import type { Channel, Connection } from "../transport/channel.ts";
import { DEVICES_SERVED, PACKS_PER_DEVICE } from "./constants.ts";
import type { Conversations } from "./conversations.ts";
import type { Delivery } from "./delivery.ts";
import type { Files } from "./files.ts";
import type { OwnDevices } from "./own_devices.ts";
import type { Overlays } from "./overlays.ts";
import type { Profiles } from "./profiles.ts";

export interface RouterOptions {
  /** Our own device. */
  device: DeviceId;
  clock: Clock;
  messenger: Messenger;
  conversations: Conversations;
  delivery: Delivery;
  files: Pick<Files, "accept">;
  profiles: Pick<Profiles, "accept" | "answer">;
  overlays: Overlays;
  ownDevices: Pick<OwnDevices, "accept">;
}

export class Router {
  #packs = new LruMap<DeviceId, Semaphore>(DEVICES_SERVED);

  constructor(private readonly options: RouterOptions) {}

  /** What to do with a channel that the peer asks for; `null` declines it. */
  accept(connection: Connection, name: string): ((channel: Channel) => void) | null {
    const { device, clock, messenger, files, profiles, overlays, ownDevices } = this.options;
    const wanted = parseChannelName(name);
    switch (wanted.kind) {
      case "sip":
        return (channel) => messenger.attach(channel);
      case "msg":
        return wanted.device === device ? (channel) => messenger.attach(channel) : null;
      case "git": {
        const conversation = this.#readable(wanted.conversation, connection);
        return wanted.device === device && conversation ? (channel) => this.#serve(conversation, channel) : null;
      }
      case "swarm": {
        const conversation = this.#readable(wanted.conversation, connection);
        return conversation ? (channel) => overlays.of(conversation).add(channel) : null;
      }
      case "sync":
        return ownDevices.accept(wanted, connection);
      case "file":
        return files.accept(wanted, connection);
      case "profile":
        return profiles.accept(wanted, connection);
      case "profile-request":
        return profiles.answer(wanted, connection);
      case "service-query":
        return (channel) => void answerServiceQueries(channel, device, clock);
      default:
        return null;
    }
  }

  /** Ends what peers may no longer have, after members changed: each fetch is authorised anyway. */
  enforce(conversation: Conversation, connections: readonly Connection[]): void {
    this.options.overlays.enforce(conversation);
    for (const { peer, channels } of connections) {
      if (conversation.mayFetch(peer)) continue;
      for (const channel of channels) {
        const name = parseChannelName(channel.name);
        if (name.kind !== "swarm" && "conversation" in name && name.conversation === conversation.id) channel.close();
      }
    }
  }

  #readable(id: Oid, { peer }: Connection): Conversation | null {
    const conversation = this.options.conversations.get(id);
    return conversation?.mayFetch(peer) ? conversation : null;
  }

  #serve(conversation: Conversation, channel: Channel): void {
    const { peer } = channel;
    const { delivery, clock, conversations } = this.options;
    const packs = this.#packs.get(peer.device) ?? new Semaphore("packs", PACKS_PER_DEVICE);
    this.#packs.set(peer.device, packs);
    const { repository } = conversation;
    serveGit(channel, {
      repository: {
        head: () => Promise.resolve(delivery.headFor(conversation, peer)),
        read: (oid) => repository.read(oid),
        has: (oid) => repository.has(oid),
        packed: (oid) => repository.packed(oid),
      },
      clock,
      authorize: () => conversations.get(conversation.id) === conversation && conversation.mayFetch(peer),
      onFetched: (commit) => delivery.holds(conversation, peer.account, peer.device, commit),
      slot: async (work) => {
        const served = delivery.serve(conversation, peer.device);
        try {
          return await traced("git.serve", {}, () => packs.run(work));
        } finally {
          served();
        }
      },
    });
  }
}
