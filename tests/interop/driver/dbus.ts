/** A D-Bus client over a unix socket: method calls and signals, what driving jamid needs and no more. */

import {
  completeTypes,
  type DBusArgument,
  DBusFormatError,
  type DBusValue,
  Variant,
  WireReader,
  WireWriter,
} from "./dbus_wire.ts";

/** The bus itself, as a peer. */
const BUS = { name: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus" };

const CALL_TIMEOUT = 60_000; // ms: a jamid under load answers within seconds
const FIXED_HEADER = 16; // bytes up to and including the length of the header fields

const METHOD_CALL = 1, METHOD_RETURN = 2, ERROR = 3, SIGNAL = 4;
const NO_REPLY_EXPECTED = 1, NO_AUTO_START = 2;

/** The codes of the header fields (D-Bus specification, "Header Fields"). */
const FIELD = { path: 1, interface: 2, member: 3, errorName: 4, replySerial: 5, destination: 6, signature: 8 };

/** The other side answered a call with an error, or not at all. */
export class DBusError extends Error {
  override name = "DBusError";
  /** @param error its D-Bus name, e.g. `org.freedesktop.DBus.Error.NoReply` */
  constructor(readonly error: string, message: string) {
    super(`${error}: ${message}`);
  }
}

/** Where a method is. */
export interface DBusTarget {
  name: string;
  path: string;
  interface: string;
}

export interface DBusSignal {
  interface: string;
  member: string;
  args: DBusValue[];
}

interface Message {
  type: number;
  fields: Map<number, DBusValue>;
  args: DBusValue[];
}

interface PendingCall {
  resolve(args: DBusValue[]): void;
  reject(error: DBusError): void;
}

/** One connection to a bus. */
export class DBusConnection {
  #calls = new Map<number, PendingCall>();
  #serial = 0;
  #reader: Promise<void> = Promise.resolve();
  #sending: Promise<void> = Promise.resolve();

  private constructor(
    private readonly socket: Deno.UnixConn,
    private readonly onSignal: (signal: DBusSignal) => void,
  ) {}

  /** Connects to the bus at the socket `path`; `onSignal` gets what `listen` asks for. */
  static async open(path: string, onSignal: (signal: DBusSignal) => void): Promise<DBusConnection> {
    const socket = await Deno.connect({ transport: "unix", path });
    try {
      const connection = new DBusConnection(socket, onSignal);
      await authenticate(socket);
      connection.#reader = connection.#readAll();
      await connection.call(BUS, "Hello", "", []);
      return connection;
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /** Asks the bus for signals, by a match rule. */
  async listen(rule: string): Promise<void> {
    await this.call(BUS, "AddMatch", "s", [rule]);
  }

  /** Whether a peer of this name is on the bus. */
  async hasOwner(name: string): Promise<boolean> {
    const [owned] = await this.call(BUS, "NameHasOwner", "s", [name]);
    return owned === true;
  }

  /** Calls a method and returns its results. @throws {DBusError} */
  call(target: DBusTarget, method: string, signature: string, args: DBusArgument[]): Promise<DBusValue[]> {
    const serial = ++this.#serial;
    const message = methodCall(serial, NO_AUTO_START, target, method, signature, args);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => pending.reject(new DBusError("org.freedesktop.DBus.Error.NoReply", `${method} in ${CALL_TIMEOUT} ms`)),
        CALL_TIMEOUT,
      );
      const settle = () => {
        clearTimeout(timer);
        this.#calls.delete(serial);
      };
      const pending: PendingCall = {
        resolve: (results) => (settle(), resolve(results)),
        reject: (error) => (settle(), reject(error)),
      };
      this.#calls.set(serial, pending);
      this.#send(message);
    });
  }

  /** Calls a method without arguments and wants no answer. */
  tell(target: DBusTarget, method: string): void {
    this.#send(methodCall(++this.#serial, NO_AUTO_START | NO_REPLY_EXPECTED, target, method, "", []));
  }

  /** Ends the connection; calls still open fail. */
  async close(): Promise<void> {
    try {
      this.socket.close();
    } catch {
      // The bus closed it first.
    }
    await this.#sending;
    await this.#reader;
  }

  #send(message: Uint8Array): void {
    // A failed write means that the bus is gone: the reader notices too, and fails the open calls.
    this.#sending = this.#sending.then(() => writeAll(this.socket, message)).catch(() => {});
  }

  async #readAll(): Promise<void> {
    let cause = "the connection was closed";
    try {
      const input = new ByteSource(this.socket);
      for (let message = await readMessage(input); message; message = await readMessage(input)) this.#take(message);
    } catch (error) {
      cause = String(error);
    }
    for (const call of [...this.#calls.values()]) {
      call.reject(new DBusError("org.freedesktop.DBus.Error.Disconnected", cause));
    }
  }

  #take({ type, fields, args }: Message): void {
    const text = (code: number) => String(fields.get(code) ?? "");
    if (type === SIGNAL) {
      return this.onSignal({ interface: text(FIELD.interface), member: text(FIELD.member), args });
    }
    const call = this.#calls.get(Number(fields.get(FIELD.replySerial)));
    if (type === METHOD_RETURN) call?.resolve(args);
    if (type === ERROR) call?.reject(new DBusError(text(FIELD.errorName), String(args[0] ?? "")));
  }
}

function methodCall(
  serial: number,
  flags: number,
  target: DBusTarget,
  method: string,
  signature: string,
  args: DBusArgument[],
): Uint8Array {
  const types = completeTypes(signature);
  if (types.length !== args.length) throw new DBusFormatError(`${method}(${signature}) got ${args.length} arguments`);
  const body = new WireWriter();
  types.forEach((type, i) => body.write(type, args[i]));
  const content = body.bytes();

  const message = new WireWriter();
  message.raw(Uint8Array.of("l".charCodeAt(0), METHOD_CALL, flags, 1));
  message.write("u", content.length);
  message.write("u", serial);
  const fields: DBusArgument[] = [
    [FIELD.path, new Variant("o", target.path)],
    [FIELD.interface, new Variant("s", target.interface)],
    [FIELD.member, new Variant("s", method)],
    [FIELD.destination, new Variant("s", target.name)],
  ];
  if (signature) fields.push([FIELD.signature, new Variant("g", signature)]);
  message.write("a(yv)", fields);
  message.align(8);
  message.raw(content);
  return message.bytes();
}

async function readMessage(input: ByteSource): Promise<Message | null> {
  const start = await input.peek(FIXED_HEADER);
  if (!start) return null;
  if (start[0] !== "l".charCodeAt(0)) throw new DBusFormatError("a big-endian message");
  const sizes = new WireReader(start, 4);
  const bodyLength = sizes.uint32();
  sizes.uint32(); // the sender's serial: only wanted to answer calls, and we serve none
  const headerLength = Math.ceil((FIXED_HEADER + sizes.uint32()) / 8) * 8;
  const bytes = await input.take(headerLength + bodyLength);
  if (!bytes) return null;

  const fields = new Map<number, DBusValue>();
  const list = new WireReader(bytes, 12).read("a(yv)");
  if (Array.isArray(list)) {
    for (const field of list) if (Array.isArray(field)) fields.set(Number(field[0]), field[1]);
  }
  const signature = String(fields.get(FIELD.signature) ?? "");
  return { type: bytes[1], fields, args: new WireReader(bytes.subarray(headerLength)).all(signature) };
}

/** Logs in as the owner of this process. */
async function authenticate(socket: Deno.UnixConn): Promise<void> {
  const user = new TextEncoder().encode(String(Deno.uid())).toHex();
  await writeAll(socket, new TextEncoder().encode(`\0AUTH EXTERNAL ${user}\r\n`));
  let answer = "";
  while (!answer.endsWith("\r\n")) {
    const chunk = new Uint8Array(256);
    const length = await socket.read(chunk);
    if (length === null) throw new DBusError("org.freedesktop.DBus.Error.AuthFailed", "the bus hung up");
    answer += new TextDecoder().decode(chunk.subarray(0, length));
  }
  if (!answer.startsWith("OK ")) throw new DBusError("org.freedesktop.DBus.Error.AuthFailed", answer.trim());
  await writeAll(socket, new TextEncoder().encode("BEGIN\r\n"));
}

async function writeAll(socket: Deno.UnixConn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await socket.write(bytes.subarray(sent));
}

/** Collects what a socket gives until enough of it is there. */
class ByteSource {
  #end = false;
  #pending = new Uint8Array();

  constructor(private readonly socket: Deno.UnixConn) {}

  /** The next `n` bytes, left in place; null at the end. */
  async peek(n: number): Promise<Uint8Array | null> {
    const chunks = [this.#pending];
    let length = this.#pending.length;
    while (length < n && !this.#end) {
      const chunk = new Uint8Array(64 * 1024);
      const got = await this.socket.read(chunk);
      if (got === null) this.#end = true;
      else {
        chunks.push(chunk.subarray(0, got));
        length += got;
      }
    }
    if (chunks.length > 1) {
      this.#pending = new Uint8Array(length);
      let at = 0;
      for (const chunk of chunks) {
        this.#pending.set(chunk, at);
        at += chunk.length;
      }
    }
    return length < n ? null : this.#pending.slice(0, n);
  }

  /** The next `n` bytes, taken out; null at the end. */
  async take(n: number): Promise<Uint8Array | null> {
    const bytes = await this.peek(n);
    this.#pending = this.#pending.subarray(bytes?.length ?? 0);
    return bytes;
  }
}
