import { backoff } from "../../client/backoff.ts";
import type { SocketEvent } from "../../functions/runtime/socket-event.ts";
import { socketHandler } from "../../functions/socket.ts";
import { append } from "../../shared/pipeline/streams/append.ts";
import type { Streams } from "../../shared/ports.ts";
import { refuse, TagwireError } from "../../shared/protocol/errors.ts";
import type { ConnectionId, Tag, UserId } from "../../shared/protocol/tag.ts";
import { DEFAULTS } from "../../shared/settings/settings.ts";
import { type KeptStream, streamOf } from "../../shared/streams/kept.ts";
import { memoryConnections } from "../../testing/memory/connections.ts";
import { memoryStreams } from "../../testing/memory/streams.ts";
import { memorySubscriptions } from "../../testing/memory/subscriptions.ts";
import { dice } from "../world/dice.ts";
import { type Bucket, bucket, type Wheel, wheel } from "./wheel.ts";

export interface ResumeOptions {
  readonly clients: number;
  readonly seed: number;
  /** Read units a second of the stream's partition key. */
  readonly keyReads: number;
  readonly runs: number;
  /** Messages that all of them missed, and bytes of each. */
  readonly missed: number;
  readonly bytes: number;
}

export interface Resumed {
  /** When the last client had all it missed. */
  readonly seconds: number;
  /** Clients whose reply was not all of what they missed, in order. */
  readonly wrong: number;
  readonly frames: number;
  /** Read units in the busiest second, and in all. */
  readonly busiestKey: number;
  readonly units: number;
  readonly throttled: number;
}

const START = Date.parse("2026-01-01T00:00:00Z");
const LATENCY = { least: 3, spread: 4 };
const READ_UNIT = 4_096;
const TRIES = 2;
const THROTTLED = 1_000;

/** Clients that were cut resume one stream at once. The socket function and the client's back-off are the real ones. */
export async function resumeAll(options: ResumeOptions): Promise<Resumed> {
  const { clients, seed, runs, missed, bytes } = options;
  const time = wheel();
  const { next: random } = dice(`resume-${seed}`);
  const clock = { now: () => START + time.now(), monotonic: time.now, pause: time.sleep };
  const settings = { ...DEFAULTS, streams: [{ topics: "news", seconds: 3_600, count: 10_000 }] };
  const kept = streamOf(settings, { topic: "news" } as never) as KeptStream;
  const written = memoryStreams();
  const writing = { streams: written, clock, random, settings };
  const run = { id: "run", end: START + 86_400_000 };
  const frame = (i: number) => JSON.stringify({ type: "message", id: `m${i}`, data: "x".repeat(bytes) });
  const write = async (frames: readonly string[]) => {
    const numbers: number[] = [];
    for (let i = 0; i < frames.length; i += 10)
      numbers.push(...(await append(writing, kept.stream, kept.retention, run, frames.slice(i, i + 10))));
    return numbers;
  };
  const since = (await write([frame(-1)])).at(-1) ?? 0;
  const numbers = await write(Array.from({ length: missed }, (_, i) => frame(i)));
  const table = await metered(written, kept, { time, random, keyReads: options.keyReads });

  const [connections, subscriptions] = [memoryConnections(), memorySubscriptions()];
  const container = () =>
    socketHandler({
      ...{ settings, clock, random, connections, streams: table.streams },
      tokens: { verify: async () => refuse("TOKEN_INVALID", "nobody connects") },
      subscriptions: () => subscriptions,
      sockets: {
        send: async () => ({ kind: "gone" }),
        close: async () => ({ kind: "gone" }),
        probe: async () => "up",
      },
      telemetry: () => ({ count() {}, observe() {}, warn() {}, flush() {} }),
    });
  const idle: ReturnType<typeof container>[] = [];
  let running = 0;
  /** Runs the function in a container that is idle, or in a new one. */
  const invoke = async (event: SocketEvent) => {
    if (running >= runs) return undefined;
    running++;
    const handler = idle.pop() ?? container();
    const end = time.now() + settings.advanced.functions.socket.timeoutSeconds * 1_000;
    await time.sleep(LATENCY.least + random() * LATENCY.spread);
    const reply = await handler(event, { getRemainingTimeInMillis: () => end - time.now() });
    idle.push(handler);
    running--;
    return reply;
  };

  let [left, wrong, frames, seconds] = [clients, 0, 0, 0];
  const client = async (i: number): Promise<void> => {
    const connectionId = `c${i}=` as ConnectionId;
    const life = { expiresAt: START + 7_200_000, tokenExpiresAt: START + 7_200_000 };
    const user = `u${i}` as UserId;
    await connections.put({
      connectionId,
      connectedAt: START,
      user,
      tags: ["everyone" as Tag],
      subscribe: ["*"],
      ...life,
    });
    const retry = backoff({ random });
    const got: number[] = [];
    for (let asked = since; ; ) {
      frames++;
      const body = JSON.stringify(
        got.length === 0
          ? { type: "subscribe", topics: ["news"], since: { news: asked } }
          : { type: "history", topic: "news", since: asked },
      );
      const reply = await invoke({
        requestContext: { connectionId, connectedAt: START, eventType: "MESSAGE" },
        body,
      });
      const answer = JSON.parse(reply?.body ?? "{}");
      got.push(...(answer.messages ?? []).map(({ seq }: { seq: number }) => seq));
      asked = answer.positions?.news ?? answer.position ?? asked;
      if (asked === numbers.at(-1)) break;
      if (!answer.messages) await time.sleep(retry.next());
    }
    if (got.join() !== numbers.join()) wrong++;
    seconds = time.now() / 1_000;
    left--;
  };
  for (let i = 0; i < clients; i++) void client(i);
  // Somebody waits from the start on, so that the first of the clients is not the last.
  void time.sleep(1);
  await new Promise(setImmediate);
  await time.run(() => left === 0);
  return { seconds, wrong, frames, ...table.counts() };
}

/** The table of streams, of which one partition key is read. */
async function metered(
  streams: Streams,
  { stream }: KeptStream,
  { time, random, keyReads }: { time: Wheel; random: () => number; keyReads: number },
) {
  const reads: Bucket = bucket(time, keyReads);
  const head = await streams.last(stream);
  const { rows: all } = await streams.read(stream, 0, Number.MAX_SAFE_INTEGER);
  let [throttled, units] = [0, 0];
  const read = async <T extends readonly { messages: readonly string[] }[]>(rows: T): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      await time.sleep(LATENCY.least + random() * LATENCY.spread);
      // A read is let in while anything is left, and takes what it then turns out to be.
      if (reads.take(1)) {
        const size = rows.reduce((sum, { messages }) => sum + messages.join().length, 0);
        const cost = Math.max(1, Math.ceil(size / READ_UNIT));
        reads.charge(cost - 1);
        units += cost;
        return rows;
      }
      throttled++;
      if (attempt >= TRIES) throw new TagwireError("TABLE_UNAVAILABLE", "reading a stream failed: throttled");
      await time.sleep(random() * THROTTLED);
    }
  };
  return {
    streams: {
      ...streams,
      last: async () => (await read(head ? [head] : []))[0],
      read: async (_, from, to) => ({
        rows: await read(all.filter(({ seq }) => from <= seq && seq <= to)),
        isComplete: true,
      }),
    } satisfies Streams,
    counts: () => ({ busiestKey: reads.busiest(), units, throttled }),
  };
}
