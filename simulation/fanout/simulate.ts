import type { MessageQueue, QuotaBeats } from "../../shared/ports.ts";
import { isFanoutLane, LANES, type Lane, type Priority } from "../../shared/protocol/lane.ts";
import type { Message, MessageId } from "../../shared/protocol/message.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import { bodyOf } from "../../shared/receipts/job-body.ts";
import { settings as settingsOf } from "../../shared/settings/settings.ts";
import { memoryConnections } from "../../testing/memory/connections.ts";
import { memoryQuotaBeats } from "../../testing/memory/quota-beats.ts";
import { memoryReceipts } from "../../testing/memory/receipts.ts";
import { memorySubscriptions } from "../../testing/memory/subscriptions.ts";
import { bucket } from "../quota/bucket.ts";
import { EPOCH, type Events, events as eventsOf } from "../quota/events.ts";
import { dice as diceOf } from "../world/dice.ts";
import { type Container, container } from "./container.ts";
import { longLists } from "./long-list.ts";

/** A message to a topic of so many connections, posted `at` milliseconds after the start. */
export interface FanoutPost {
  readonly audience: number;
  readonly priority: Priority;
  readonly at: number;
}

/** Planted bugs. */
export interface FanoutMutant {
  /** All jobs are in one lane. */
  readonly hasOneLane?: boolean;
  /** Priorities weigh the same in the shares of the quota. */
  readonly hasNoWeights?: boolean;
}

/** How long calls take, in milliseconds. */
const LATENCY = { table: 5, queue: 10, send: 10, poll: 30 };
/** Milliseconds after which it is given up. */
const END = 600_000;

/**
 * Delivers messages by containers of the consumer, in virtual time, until the last of the posts has
 * reached its whole audience. Returns the milliseconds that took, from its POST to its last frame. Queue, tables and
 * gateway are simulated; the account has the default quota.
 */
export async function simulateFanout(
  posts: readonly FanoutPost[],
  { hasOneLane = false, hasNoWeights = false }: FanoutMutant = {},
): Promise<number> {
  const dice = diceOf("fanout");
  const events = eventsOf();
  const settings = settingsOf();
  const account = bucket({ perSecond: 10_000, burst: 5_000 });
  const clock = {
    now: () => EPOCH + events.now(),
    monotonic: () => events.now(),
    pause: events.pause,
  };
  const reached = new Map<string, number>();
  const last = posts.at(-1);
  const lastTopic = `topic:${posts.length - 1}`;
  let endedAt: number | undefined;

  const lanes = lanesOf(events, (lane) => (hasOneLane && isFanoutLane(lane) ? "fanout-normal" : lane));
  const receipts = memoryReceipts();
  const lists = longLists(Object.fromEntries(posts.map(({ audience }, i) => [`topic:${i}`, audience])));
  const item = memoryQuotaBeats(() => EPOCH + Math.floor(events.now() / 1_000) * 1_000);
  const ground = {
    ...{ settings, clock, random: dice.next, queue: lanes.queue },
    receipts: slow(events, LATENCY.table, receipts, ["claim", "settle", "withdrawal"]),
    subscriptions: slow(events, LATENCY.table, { ...memorySubscriptions(), ...lists }, ["page"]),
    connections: memoryConnections(),
    beats: slow(events, LATENCY.table, item, ["beat", "remove"]) as QuotaBeats,
    weightOf: (weight: number) => (hasNoWeights ? 4 : weight),
    sockets: {
      async send(id: string) {
        const isTaken = account.take(events.now());
        await events.pause(LATENCY.send);
        if (!isTaken) return { kind: "throttled", reason: "429" } as const;
        const topic = id.slice(0, id.indexOf("-"));
        const count = (reached.get(topic) ?? 0) + 1;
        reached.set(topic, count);
        if (topic === lastTopic && count === last?.audience) endedAt = events.now();
        return { kind: "sent" } as const;
      },
      probe: async () => "up" as const,
    },
  };

  const idle: Container[] = [];
  let started = 0;
  const running = new Map<Lane, number>();
  const poll = (lane: Lane): void => {
    const now = running.get(lane) ?? 0;
    if (now >= settings.lanes[lane].concurrency) return;
    const bodies = lanes.take(lane, settings.advanced.batchSize[lane]);
    if (bodies.length === 0) return;
    running.set(lane, now + 1);
    const consume = idle.pop() ?? container(`c-${10 + started++}`, ground);
    const records = bodies.map(({ body, id }) => ({
      ...{ messageId: id, receiptHandle: id, lane, body, receive: 1 },
    }));
    const end = clock.now() + settings.advanced.functions.consume.timeoutSeconds * 1_000;
    void consume(records, { end }).then((kept) => {
      for (const { body, id } of bodies) if (kept.includes(id)) lanes.again(lane, body);
      idle.push(consume);
      running.set(lane, (running.get(lane) ?? 1) - 1);
      poll(lane);
    });
    poll(lane);
  };
  lanes.onSent((lane) => events.at(events.now() + LATENCY.poll, () => poll(lane)));
  for (const [i, post] of posts.entries()) {
    events.at(
      post.at,
      () => void lanes.queue.send(post.priority, [{ job: { message: messageOf(i, post) } }]),
    );
  }
  // 500 requests a second of others, between which promises go on.
  const other = () => {
    account.take(events.now());
    events.at(events.now() + 2, other);
  };
  other();
  for (let until = 100; endedAt === undefined && until < END; until += 100) await events.run(until);
  return (endedAt ?? Number.POSITIVE_INFINITY) - (last?.at ?? 0);
}

/** The same port, some of whose calls take their time. */
function slow<P extends object>(
  events: Events,
  milliseconds: number,
  port: P,
  names: readonly (keyof P)[],
): P {
  const calls = names.map((name) => {
    const call = port[name] as (...asked: unknown[]) => unknown;
    const slowed = async (...asked: unknown[]) => {
      await events.pause(milliseconds / 2);
      const answer = await call(...asked);
      await events.pause(milliseconds / 2);
      return answer;
    };
    return [name, slowed] as const;
  });
  return { ...port, ...Object.fromEntries(calls) };
}

/** Lanes in memory. What is kept for later is back after a second. */
function lanesOf(events: Events, laneFor: (lane: Lane) => Lane) {
  const bodies = new Map<Lane, { readonly body: string; readonly id: string }[]>(
    LANES.map((lane) => [lane, []]),
  );
  let listener: (lane: Lane) => void = () => {};
  let made = 0;
  const put = (lane: Lane, body: string): void => {
    bodies.get(lane)?.push({ body, id: `e${++made}` });
    listener(lane);
  };
  const queue: MessageQueue = {
    async send(lane, entries) {
      await events.pause(LATENCY.queue);
      for (const { job } of entries) put(laneFor(lane), bodyOf(job));
      return entries.map(() => true);
    },
    changeVisibility: async () => {},
    deadLetter: async () => {},
    backlog: async (lane) => bodies.get(lane)?.length ?? 0,
  };
  return {
    queue,
    take: (lane: Lane, most: number) => bodies.get(lane)?.splice(0, most) ?? [],
    again: (lane: Lane, body: string) => events.at(events.now() + 1_000, () => put(lane, body)),
    onSent: (callback: (lane: Lane) => void) => {
      listener = callback;
    },
  };
}

const messageOf = (i: number, { priority, at }: FanoutPost): Message => ({
  id: `m${i}` as MessageId,
  producer: "shop" as UserId,
  acceptanceId: `a${i}`,
  target: { topic: String(i) } as Message["target"],
  data: i,
  priority,
  time: new Date(EPOCH + at).toISOString(),
  expiresAt: EPOCH + 86_400_000,
  dedupeSeconds: 300,
});
