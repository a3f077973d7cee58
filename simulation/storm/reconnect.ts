import { ASKS, backoff } from "../../client/backoff.ts";
import type { SocketEvent } from "../../functions/runtime/socket-event.ts";
import { socketHandler } from "../../functions/socket.ts";
import { dynamoSubscriptions } from "../../shared/adapters/dynamodb/subscriptions.ts";
import { listParts } from "../../shared/connections/list-parts.ts";
import type { Tokens } from "../../shared/ports.ts";
import { accept } from "../../shared/protocol/errors.ts";
import type { Identity } from "../../shared/protocol/grant.ts";
import type { ConnectionId, Tag, UserId } from "../../shared/protocol/tag.ts";
import { sortKey } from "../../shared/receipts/hash-range.ts";
import { DEFAULTS } from "../../shared/settings/settings.ts";
import { dice } from "../world/dice.ts";
import { connectionTable, listTable } from "./table.ts";
import { bucket, wheel } from "./wheel.ts";

export interface ReconnectOptions {
  readonly clients: number;
  readonly seed: number;
  /** What API Gateway takes a second: connects, and connects and frames together. */
  readonly connects: number;
  readonly requests: number;
  /** Runs of the socket function at a time. */
  readonly runs: number;
  /** Write units a second of one partition key, and of each table. */
  readonly keyWrites: number;
  readonly tableWrites: number;
  /** Partitions of the table of lists (table.ts). */
  readonly partitions: number;
  /** Of the list of everyone. */
  readonly hashBits: number;
  /** How many of the calls to tables fail, before and after they did what they should: 0-1. */
  readonly faults: number;
}

export interface Reconnected {
  /** When the last client was connected and had its topic again. */
  readonly seconds: number;
  readonly attempts: number;
  /** `$connect`s that ran and failed. */
  readonly failedConnects: number;
  /** Rows of those, when all was over. */
  readonly rowsLeft: number;
  /** Clients that are not in all of their lists, or have no row. */
  readonly missing: number;
  /** `$disconnect`s of the connections that were cut, and those that met no free run or failed. */
  readonly disconnects: number;
  readonly lostDisconnects: number;
  /** Writes that found no capacity. */
  readonly throttled: number;
  /** The most writes in one second. */
  readonly busiestKey: number;
  readonly busiestTable: number;
  /** The longest run, in milliseconds. */
  readonly longestRun: number;
}

/** Milliseconds since 1970 at the start of the storm. The cut connections are an hour old. */
const START = Date.parse("2026-01-01T00:00:00Z");
const AGE = 3_600_000;
const EXP = START / 1_000 + 7_200;
const SINCE = "2025-01-01T00:00:00Z";
/** Topics that clients have, one each. */
const ROOMS = 1_000;
/** Milliseconds of a run beside its calls. */
const OVERHEAD = 2;
/** Milliseconds in which a client that asks why it was cut is answered. */
const ASKING = 10;

/** All clients of a router are cut at once and come back: the socket function and the client's back-off are the real ones. */
export async function reconnect(options: ReconnectOptions): Promise<Reconnected> {
  const { clients, seed, runs } = options;
  const time = wheel();
  const { next: random } = dice(`storm-${seed}`);
  const clock = {
    now: () => START + time.now(),
    monotonic: time.now,
    pause: (milliseconds: number) => time.sleep(milliseconds),
  };
  const world = { ...options, wheel: time, random };
  const lists = listTable(world);
  const connections = connectionTable(world);
  const settings = {
    ...DEFAULTS,
    spreadTags: [
      { tag: "everyone", hashBits: options.hashBits, hashBitsBefore: options.hashBits, since: SINCE },
    ],
  };
  const parts = listParts(settings.spreadTags);
  const tokens: Tokens = { verify: async (token) => accept(identityOf(token)) };
  const handler = socketHandler({
    ...{ settings, clock, random, tokens, connections },
    subscriptions: (patience) =>
      dynamoSubscriptions({ client: lists.client, table: "subscriptions", clock, random, patience, parts }),
    sockets: {
      send: async () => ({ kind: "gone" }),
      close: async () => ({ kind: "gone" }),
      probe: async () => "up",
    },
    telemetry: () => ({ count() {}, observe() {}, warn() {}, flush() {} }),
  });

  let [running, longestRun] = [0, 0];
  const timeout = settings.advanced.functions.socket.timeoutSeconds * 1_000;
  /** Runs the function, if a run is free. */
  const invoke = async (event: SocketEvent) => {
    if (running >= runs) return undefined;
    running++;
    const end = time.now() + timeout;
    const began = time.now();
    await time.sleep(OVERHEAD);
    const reply = await handler(event, { getRemainingTimeInMillis: () => end - time.now() });
    longestRun = Math.max(longestRun, time.now() - began);
    running--;
    return reply;
  };
  const event = (
    connectionId: string,
    connectedAt: number,
    eventType: "CONNECT" | "MESSAGE" | "DISCONNECT",
  ) => ({
    requestContext: { connectionId, connectedAt, eventType },
  });

  // The rows of the connections that are cut.
  const listed = (tag: string, id: string, connectedAt: number) => {
    const key = sortKey(id);
    lists.put(parts.partitionKey(tag as Tag, { key, connectedAt }), key, connectedAt);
  };
  for (let i = 0; i < clients; i++) {
    const [id, connectedAt] = [`old${i}=` as ConnectionId, START - AGE];
    const tags = tagsOf(i);
    for (const tag of tags) listed(tag, id, connectedAt);
    await connections.seed({
      connectionId: id,
      connectedAt,
      user: userOf(i),
      tags,
      subscribe: ["*"],
      expiresAt: START + AGE,
      tokenExpiresAt: START + AGE,
    });
  }

  const gateway = { connects: bucket(time, options.connects), requests: bucket(time, options.requests) };
  const count = { attempts: 0, failed: 0, back: 0, disconnects: 0, lost: 0, seconds: 0 };
  const open = new Set<string>();
  const failedIds = new Set<string>();
  const comeBack = async (i: number): Promise<void> => {
    const retry = backoff({ random });
    /** What the client does where a socket does not open (client/session.ts). */
    const refused = async (failures: number) => {
      if (failures % ASKS === 0 && gateway.requests.take(1)) await time.sleep(ASKING);
    };
    let id = "";
    let connectedAt = 0;
    for (let attempt = 0; ; attempt++) {
      if (attempt > 0) await refused(attempt);
      await time.sleep(retry.next());
      count.attempts++;
      if (!gateway.connects.take(1)) continue;
      if (!gateway.requests.take(1)) continue;
      [id, connectedAt] = [`c${i}-${attempt}`, clock.now()];
      const reply = await invoke({
        ...event(id, connectedAt, "CONNECT"),
        queryStringParameters: { token: `${i}` },
      });
      if (reply?.statusCode === 200) break;
      if (!reply) continue;
      count.failed++;
      failedIds.add(id);
    }
    open.add(id);
    // A frame that the gateway refuses, or that meets no free run, is answered by the gateway (client/frame.ts).
    const later = backoff({ random });
    for (;;) {
      const sent = gateway.requests.take(1);
      const frame = { type: "subscribe", topics: [`room/${i % ROOMS}`], ref: 1 };
      const reply = sent
        ? await invoke({ ...event(id, connectedAt, "MESSAGE"), body: JSON.stringify(frame) })
        : undefined;
      if (reply?.body?.includes('"subscribed"')) break;
      await time.sleep(later.next());
    }
    count.back++;
    count.seconds = time.now() / 1_000;
  };
  /** The gateway tells of the cut sockets as fast as it takes new ones. */
  const goAway = async (i: number): Promise<void> => {
    await time.sleep((i / options.connects) * 1_000);
    count.disconnects++;
    const reply = await invoke(event(`old${i}=`, START - AGE, "DISCONNECT"));
    if (reply?.statusCode !== 200) count.lost++;
  };
  let pending = 2 * clients;
  const done = () => void pending--;
  for (let i = 0; i < clients; i++) {
    void comeBack(i).then(done);
    void goAway(i).then(done);
  }
  await time.run(() => pending === 0);

  let rowsLeft = 0;
  const held = new Map<string, number>();
  for (const [, list] of lists.rows)
    for (const key of list.keys()) {
      const id = key.slice(key.indexOf("#") + 1);
      if (failedIds.has(id)) rowsLeft++;
      if (open.has(id)) held.set(id, (held.get(id) ?? 0) + 1);
    }
  for (const id of failedIds) if (await connections.has(id as ConnectionId)) rowsLeft++;
  return {
    seconds: count.seconds,
    attempts: count.attempts,
    failedConnects: count.failed,
    rowsLeft,
    missing: clients - [...open].filter((id) => held.get(id) === 3).length,
    disconnects: count.disconnects,
    lostDisconnects: count.lost,
    throttled: lists.throttled(),
    busiestKey: lists.busiestKey(),
    busiestTable: Math.max(lists.writes.busiest(), connections.writes.busiest()),
    longestRun,
  };
}

const userOf = (i: number) => `u${i}` as UserId;
const tagsOf = (i: number) => ["everyone", `user:${userOf(i)}`, `topic:room/${i % ROOMS}`] as Tag[];
const identityOf = (token: string): Identity => ({
  sub: userOf(Number(token)),
  tags: [],
  subscribe: ["*"],
  publish: [],
  admin: false,
  exp: EXP,
});
