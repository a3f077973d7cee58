import { WebSocket } from "ws";

/** Where a server listens, on the loopback address. */
export interface Address {
  readonly port: number;
  /** For a server that publishes by another protocol than HTTP. */
  readonly tcpPort: number;
}

export interface Data {
  readonly benchNumber: number;
  readonly pad: string;
}

export interface Publisher {
  /** Resolves once the server has accepted the message; rejects if it did not. */
  publish(topic: string, data: Data): Promise<void>;
  close(): Promise<void>;
}

/** How a client and a backend talk to one kind of server. */
export interface Dialect {
  socketUrl(address: Address): string;
  subprotocols?(): Promise<string[]>;
  /** What a client says and understands on one socket to hear of a topic. */
  converse(conversation: Conversation): { opened?(): void; heard(bytes: Buffer): void };
  /** `connections` is how many messages it can have under way at once. */
  publisher(address: Address, connections: number): Promise<Publisher>;
}

export interface Conversation {
  readonly topics: readonly string[];
  say(text: string): void;
  subscribed(): void;
  refused(reason: string): void;
  /** Bytes that hold one message or more, each of them whole. */
  messages(bytes: Buffer): void;
}

export interface SubscribeOptions {
  readonly address: Address;
  readonly topics: readonly string[];
  /** The address this side connects from: one has only some 28,000 ports. @default any */
  readonly localAddress?: string;
  onMessage(number: number): void;
  /** The connection ended without a close of this side. */
  onCut(code: number): void;
}

export interface Subscriber {
  readonly socket: WebSocket;
  close(): Promise<void>;
}

/** Milliseconds that a handshake and a subscribe may take together. */
const PATIENCE = 30_000;

/** Opens a real WebSocket; resolves once the server has confirmed its subscriptions. */
export async function subscribe(dialect: Dialect, options: SubscribeOptions): Promise<Subscriber> {
  const { address, topics, localAddress, onMessage, onCut } = options;
  const socket = new WebSocket(dialect.socketUrl(address), (await dialect.subprotocols?.()) ?? [], {
    perMessageDeflate: false,
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  let closing = false;
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    const fail = (reason: string) => {
      closing = true;
      clearTimeout(timer);
      reject(new Error(`could not subscribe: ${reason}`));
      socket.terminate();
    };
    const timer = setTimeout(() => fail(`no answer within ${PATIENCE / 1000} s`), PATIENCE);
    const { opened, heard } = dialect.converse({
      topics,
      say: (text) => socket.send(text),
      subscribed() {
        clearTimeout(timer);
        resolve();
      },
      refused: fail,
      messages: (bytes) => eachNumber(bytes, onMessage),
    });
    socket.on("open", () => opened?.());
    socket.on("message", heard);
    socket.on("error", ({ message }) => fail(message));
    socket.on("close", (code) => {
      clearTimeout(timer);
      if (!closing) onCut(code);
      reject(new Error(`could not subscribe: closed with ${code}`));
    });
  });
  return {
    socket,
    close() {
      closing = true;
      if (socket.isPaused) socket.terminate();
      else socket.close(1000);
      return closed;
    },
  };
}

/** Bytes of the data of a message. */
export const BYTES = 500;

const MARK = '"benchNumber":';

/** The data of message `number`: JSON of `bytes` bytes, give or take the digits of its number. */
export const dataOf = (number: number, bytes = BYTES): Data => ({
  benchNumber: number,
  pad: "x".repeat(bytes - MARK.length - 14),
});

/**
 * The numbers of the messages in some bytes: every server sends the publisher's JSON as it was, in an envelope of its
 * own. NaN stands for a message that is not whole.
 */
export function eachNumber(bytes: Buffer, take: (number: number) => void): void {
  for (let at = bytes.indexOf(MARK); at >= 0; ) {
    const next = bytes.indexOf(MARK, at + MARK.length);
    const number = Number.parseInt(bytes.toString("latin1", at + MARK.length, at + MARK.length + 12), 10);
    take((next < 0 ? bytes.length : next) - at < BYTES - 30 ? Number.NaN : number);
    at = next;
  }
}
