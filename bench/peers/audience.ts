import {
  type Address,
  BYTES,
  type Dialect,
  dataOf,
  type Publisher,
  type Subscriber,
  subscribe,
} from "./dialect.ts";
import { type Tally, tally } from "./tally.ts";

/** Sockets of one topic, with what they have got, and a backend that publishes to them. */
export interface Audience {
  readonly sockets: readonly Subscriber[];
  readonly tally: Tally;
  /** Publishes the next message; resolves once it was accepted and every socket has got it. */
  deliver(): Promise<void>;
  close(): Promise<void>;
}

export interface AudienceOptions {
  readonly dialect: Dialect;
  readonly address: Address;
  readonly topic: string;
  readonly sockets: number;
  /** Messages that may be under way at once. */
  readonly inFlight: number;
  /** Milliseconds without any frame after which what is missing counts as lost. */
  readonly patience?: number;
  /** Bytes of the data of a message. @default BYTES */
  readonly bytes?: number;
}

/** Handshakes under way at once. */
const AT_ONCE = 25;

export async function gather(options: AudienceOptions): Promise<Audience> {
  const { dialect, address, topic, sockets, inFlight, patience, bytes = BYTES } = options;
  const counts = tally({ sockets, ordered: inFlight === 1, ...(patience === undefined ? {} : { patience }) });
  const publisher: Publisher = await dialect.publisher(address, inFlight);
  const subscribers = await openMany(sockets, (socket) =>
    subscribe(dialect, {
      address,
      topics: [topic],
      onMessage: (number) => counts.got(socket, number),
      onCut: (code) => counts.fail(new Error(`socket ${socket} was closed with ${code}`)),
    }),
  ).catch(async (fault: unknown) => {
    counts.close();
    await publisher.close();
    throw fault;
  });
  let last = 0;
  return {
    sockets: subscribers,
    tally: counts,
    async deliver() {
      const number = ++last;
      const everywhere = counts.expect(number);
      const accepted = publisher.publish(topic, dataOf(number, bytes)).catch((fault: Error) => {
        counts.fail(fault);
        throw fault;
      });
      await Promise.all([everywhere, accepted]);
    },
    async close() {
      counts.close();
      await Promise.all([...subscribers.map((subscriber) => subscriber.close()), publisher.close()]);
    },
  };
}

/** Opens `count` of something, some at a time. */
export async function openMany<T>(count: number, open: (index: number) => Promise<T>): Promise<T[]> {
  const opened: T[] = [];
  for (let at = 0; at < count; at += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - at) }, (_, i) => open(at + i));
    opened.push(...(await Promise.all(some)));
  }
  return opened;
}
