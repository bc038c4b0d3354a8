/** Turns what happens in the rooms into events of the API, for whoever watches. */

import { getLogger } from "@logtape/logtape";
import { messageOf } from "./base/errors.ts";
import type { AccountId } from "./identity/ids.ts";
import type { NodeEvent } from "./node_api.ts";
import type { NodeDevices } from "./node_devices.ts";
import type { NodeModeration } from "./node_moderation.ts";
import type { NodeNames } from "./node_names.ts";
import type { NodeOverview } from "./node_overview.ts";
import * as view from "./node_view.ts";
import type { Relay } from "./relay/relay.ts";
import type { Store } from "./store/store.ts";
import type { Conversation } from "./swarm/conversation.ts";

const log = getLogger(["kituo", "node"]);

/** The rooms that are listened to. */
export interface Rooms {
  relay: Relay;
  store: Store;
  names: NodeNames;
  devices: NodeDevices;
  moderation: NodeModeration;
  health: NodeOverview;
}

export class NodeEvents {
  readonly #listeners = new Set<(event: NodeEvent) => void>();
  #soon = () => {};

  /** Calls `listener` at each event until the returned function is called. */
  subscribe(listener: (event: NodeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(event: NodeEvent): void {
    if (event.type !== "overview" && this.#isWatched) this.#soon();
    for (const listener of this.#listeners) listener(event);
  }

  /** What costs something to tell is told only when somebody listens. */
  get #isWatched(): boolean {
    return this.#listeners.size > 0;
  }

  /** Listens to the rooms from now on. */
  watch(rooms: Rooms): void {
    this.#soon = () => rooms.health.soon();
    this.#people(rooms);
    this.#requests(rooms);
    this.#conversations(rooms);
    this.#files(rooms);
    this.#own(rooms);
  }

  #people(rooms: Rooms): void {
    const { relay, store, names } = rooms;
    const { account, connections, conversations, profiles } = relay;
    const presence = (jamiId: AccountId) =>
      this.emit({ type: "presence", data: { jamiId, online: view.isOnline(relay, jamiId) } });
    account.presence.on("appeared", (event) => presence(event.account));
    account.presence.on("vanished", (event) => presence(event.account));
    connections.on("connection", ({ peer }) => presence(peer.account));
    connections.on("closed", ({ connection }) => presence(connection.peer.account));
    names.onLearnt((data) => this.emit({ type: "name", data }));
    account.contacts.on("changed", ({ account: id }) => {
      const contact = store.contacts.get(id);
      if (contact) this.emit({ type: "contact", data: view.contactInfo(contact, relay, names.called) });
    });
    profiles.on("received", (event) => {
      if (this.#isWatched) { for (const one of conversations.of(event.account)) this.#summary(one, rooms); }
    });
  }

  #requests({ relay, store, names }: Rooms): void {
    relay.account.contacts.on("request", ({ account }) => {
      const request = store.trustRequests.get(account);
      if (request) this.emit({ type: "request", data: view.contactRequest(request, store, names.called) });
    });
    relay.invitations.on("invitation", ({ conversation }) => {
      const request = store.conversationRequests.get(conversation);
      if (request) this.emit({ type: "request", data: view.groupRequest(request, names.called) });
    });
    relay.ownDevices.on("merged", ({ answered }) => {
      for (const id of answered) this.emit({ type: "request-gone", data: { id } });
    });
  }

  #conversations(rooms: Rooms): void {
    const { relay, store, names } = rooms;
    const { conversations, delivery, fetcher, refused } = relay;
    conversations.on("opened", ({ conversation }) => this.#summary(conversation, rooms));
    conversations.on("closed", ({ id }) => this.emit({ type: "conversation-gone", data: { id } }));
    conversations.on("moved", ({ conversation, added }) => {
      if (!this.#isWatched) return;
      for (const { id } of added) {
        const row = store.commits.get(conversation.id, id);
        if (!row) continue;
        const message = view.messageInfo(row, store, names.called);
        this.emit({ type: "message", data: { conversationId: conversation.id, message } });
      }
      this.#summary(conversation, rooms);
    });
    refused.on("refused", (history) => {
      const data = { conversationId: history.conversation, refused: view.refusedInfo(history) };
      this.emit({ type: "conversation.refused", data });
    });
    fetcher.on("refused", ({ id, connection, violation }) => {
      const { device } = connection.peer;
      log.warn("a history of {id} offered by {device} was refused: {reason}", {
        id,
        device,
        reason: violation.message,
      });
    });
    delivery.on("held", ({ conversation, device }) => {
      if (!this.#isWatched) return; // the lag costs a walk over the history
      const lag = view.lag(conversation, device, relay);
      this.emit({ type: "delivery", data: { conversationId: conversation.id, deviceId: device, lag } });
    });
  }

  #files({ relay }: Rooms): void {
    relay.files.on("changed", ({ file }) => {
      if (!this.#isWatched) return;
      view.fileInfo(file, relay).then(
        (info) => this.emit({ type: "file", data: { conversationId: file.conversation, file: info } }),
        (error) => log.warn("file {id}: {error}", { id: file.id, error: messageOf(error) }),
      );
    });
  }

  /** What the node's own devices and protections do. */
  #own({ relay, devices, moderation }: Rooms): void {
    moderation.on("changed", ({ about }) => {
      if (this.#isWatched) this.emit({ type: "moderation", data: { about, ...moderation.waiting() } });
    });
    relay.ownDevices.on("device", ({ device }) => this.emit({ type: "device", data: { deviceId: device } }));
    devices.linking.on("stage", () => this.emit({ type: "link", data: devices.link() }));
  }

  #summary({ record }: Conversation, { relay, store, health }: Pick<Rooms, "relay" | "store" | "health">): void {
    if (!this.#isWatched) return;
    const data = view.conversationSummary(record, relay, store, (id) => health.waitingIn(id));
    this.emit({ type: "conversation", data });
  }
}
