import { connectionsHandler } from "../../functions/connections.ts";
import { consumeHandler } from "../../functions/consume.ts";
import { ingestHandler } from "../../functions/ingest.ts";
import { receiptsHandler } from "../../functions/receipts.ts";
import { socketHandler } from "../../functions/socket.ts";
import { emfTelemetry } from "../../shared/adapters/emf/telemetry.ts";
import { gateway, gatewayMemory } from "../../shared/pipeline/deliver/gateway.ts";
import type { BeatLoop } from "../../shared/pipeline/quota/beat-loop.ts";
import type { SendResult, Sockets } from "../../shared/ports.ts";
import { TagwireError } from "../../shared/protocol/errors.ts";
import { LANES, type Lane } from "../../shared/protocol/lane.ts";
import type { ConnectionId, Tag, UserId } from "../../shared/protocol/tag.ts";
import { deliveryPolicy } from "../../shared/settings/policy.ts";
import { settings as settle } from "../../shared/settings/settings.ts";
import type { FunctionName } from "../../shared/settings/variables.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { memoryConnections } from "../../testing/memory/connections.ts";
import { memoryQuotaBeats } from "../../testing/memory/quota-beats.ts";
import { memoryReceipts } from "../../testing/memory/receipts.ts";
import { memorySockets } from "../../testing/memory/sockets.ts";
import { memoryStreams } from "../../testing/memory/streams.ts";
import { memorySubscriptions } from "../../testing/memory/subscriptions.ts";
import { memoryTokens } from "../../testing/memory/tokens.ts";
import { synth } from "../infra/support.ts";
import { alarmsIn, type Datum, dataIn } from "./evaluator.ts";
import { lanes } from "./lanes.ts";

type Table = "connections" | "subscriptions" | "receipts" | "streams" | "quotas";

/** What is wrong with the account. A test sets it, and takes it back. */
export interface Faults {
  /** Lambda refuses their runs: no concurrency is left. */
  readonly throttled: Set<FunctionName>;
  /** Their runs are killed. */
  readonly killed: Set<FunctionName>;
  /** DynamoDB throttles their calls. */
  readonly tables: Set<Table>;
  /** Lanes whose event source is switched off. */
  readonly stopped: Set<Lane>;
  /** API Gateway may not invoke the socket function. */
  noPermission: boolean;
  queueDown: boolean;
  /** What sends end with instead, by how many there were before. */
  send: ((before: number) => SendResult | undefined) | undefined;
  /** Connections whose clients do not read. */
  readonly slow: Set<ConnectionId>;
  probe: "up" | "down";
}

/** Small, so that a handful of connections is a large audience and a handful of messages a full lane. */
export const SETTINGS = settle({
  ...{ recipientsPerRun: 8, lanes: { low: { backlogLimitMessages: 30 } } },
  streams: [{ topics: "kept", seconds: 3_600, count: 100 }],
});
const { template, router, idOf } = synth({ settings: SETTINGS });
const { streams } = router.tables;
if (!streams) throw new Error("the settings keep a stream, and there is no table of them");
const tables = { ...router.tables, streams };
const alarmsOn = alarmsIn(template);
const CONTEXT = { getRemainingTimeInMillis: () => 60_000 };
/** Milliseconds between two looks at the lanes. */
export const TICK = 5_000;

/**
 * The router's own functions in an account of the time of a test: their metric records are those that they print. What AWS
 * counts is counted here where AWS does, for the resources of the synthesised template.
 */
export function account() {
  const clock = memoryClock();
  const data: Datum[] = [];
  const lines: string[] = [];
  const faults: Faults = {
    ...{ throttled: new Set(), killed: new Set(), tables: new Set(), stopped: new Set(), slow: new Set() },
    ...{ noPermission: false, queueDown: false, send: undefined, probe: "up" },
  };
  const record = (namespace: string, name: string, dimensions: Datum["dimensions"], value = 1) =>
    void data.push({ namespace, name, dimensions, value, at: clock.now() });
  const api = (name: string, of: "http" | "socket", value = 1) =>
    record("AWS/ApiGateway", name, { ApiId: idOf(of === "http" ? router.httpApi : router.socketApi) }, value);
  const write = (line: string) => {
    lines.push(line);
    data.push(...dataIn(line, clock.now()));
  };

  /** A table whose calls DynamoDB may throttle. */
  const table = <T extends object>(name: Table, of: T): T =>
    new Proxy(of, {
      get: (target, key) => {
        const method = Reflect.get(target, key);
        if (typeof method !== "function") return method;
        return (...args: unknown[]) => {
          const dimensions = { TableName: idOf(tables[name]) };
          if (!faults.tables.has(name)) {
            record("AWS/DynamoDB", "ConsumedWriteCapacityUnits", dimensions);
            return method.apply(target, args);
          }
          record("AWS/DynamoDB", "WriteThrottleEvents", dimensions);
          return Promise.reject(new TagwireError("TABLE_UNAVAILABLE", `${name}: throttled`));
        };
      },
    });
  const queue = lanes(clock, () => !faults.queueDown);
  const tokens = memoryTokens();
  const open = memorySockets();
  let sends = 0;
  const sockets: Sockets = {
    ...open,
    send: async (id, frame) =>
      faults.send?.(sends++) ??
      (faults.slow.has(id)
        ? { kind: "throttled", reason: "429: the client does not read" }
        : open.send(id, frame)),
    probe: async () => faults.probe,
  };
  const connections = table("connections", memoryConnections());
  const lists = table("subscriptions", memorySubscriptions());
  const receipts = table("receipts", memoryReceipts());
  const subscriptions = () => lists;
  const policy = deliveryPolicy(SETTINGS);
  let random = 0;
  const common = (service: FunctionName) => ({
    telemetry: emfTelemetry({ service, router: "Test/Router", level: "info", write }),
    ...{ settings: SETTINGS, clock, tokens },
    // Spread evenly, and the same each time.
    random: () => {
      random = (random + 0.618_034) % 1;
      return random;
    },
  });
  const ingest = ingestHandler({ ...common("ingest"), queue });
  const read = receiptsHandler({ ...common("receipts"), receipts });
  const disconnect = connectionsHandler({ ...common("connections"), connections, subscriptions, sockets });
  const socket = socketHandler({ ...common("socket"), connections, subscriptions, sockets });
  const quota = table("quotas", memoryQuotaBeats(clock.now));
  /** One beat a run is enough for the table to be called. */
  const beats: BeatLoop = {
    start(weight, telemetry) {
      const entry = { id: "a", count: 1, sendsPerSecond: 1, claimedPerSecond: 1, weight, isWaiting: false };
      const beat = quota.beat(entry).catch((fault: unknown) => telemetry.warn("quota not shared", {}, fault));
      return { end: async () => void (await beat) };
    },
  };
  const consume = consumeHandler({
    ...{ ...common("consume"), queue, receipts, connections, subscriptions: lists },
    streams: table("streams", memoryStreams()),
    gateway: gateway(gatewayMemory(policy), { sockets, clock }),
    beats,
  });

  /** A run as Lambda counts it; undefined if it did not return. */
  const invoke = async <T>(
    name: FunctionName,
    run: () => Promise<T>,
  ): Promise<T | "throttled" | "failed"> => {
    const dimensions = { FunctionName: idOf(router.functions[name]) };
    const count = (metric: string, value = 1) => record("AWS/Lambda", metric, dimensions, value);
    if (faults.throttled.has(name)) {
      count("Throttles");
      return "throttled";
    }
    count("Invocations");
    count("Duration", 12);
    try {
      if (faults.killed.has(name)) throw new Error("killed");
      return await run();
    } catch {
      count("Errors");
      return "failed";
    }
  };

  const producer = tokens.sign({
    ...{ sub: "shop" as UserId, exp: 4e9, tags: [], subscribe: [], publish: ["*"], admin: true },
  });

  const http = async (name: "ingest" | "receipts" | "connections", event: object) => {
    api("Count", "http");
    const headers = { authorization: `Bearer ${producer}`, "content-type": "application/json" };
    const run = { ingest, receipts: read, connections: disconnect }[name];
    const answer = await invoke(name, () => run({ headers, ...event }, CONTEXT));
    const status = typeof answer === "string" ? 500 : Number(answer.statusCode);
    if (status >= 400) api(status >= 500 ? "5xx" : "4xx", "http");
    return status;
  };

  const route = async (event: object): Promise<number> => {
    api("MessageCount", "socket");
    if (faults.noPermission) {
      api("ExecutionError", "socket");
      return 500;
    }
    const answer = await invoke("socket", () => socket(event, CONTEXT));
    if (answer === "throttled") api("ExecutionError", "socket");
    const status = typeof answer === "string" ? 500 : Number(answer.statusCode);
    if (status >= 400) api("IntegrationError", "socket");
    return status;
  };

  let connected = 0;
  return {
    ...{ faults, queue, lines, clock, api },
    /** Posts a message. Returns the status. */
    post: (message: object) =>
      http("ingest", { body: JSON.stringify(message), requestContext: { requestId: "request-1" } }),
    readReceipt: () =>
      http("receipts", { requestContext: { http: { method: "GET" } }, pathParameters: { id: "none" } }),
    disconnectUser: () =>
      http("connections", {
        ...{ requestContext: { http: { method: "DELETE" } }, pathParameters: { user: "nobody" } },
      }),
    /** Opens a connection. Returns its id, or the status that refused it. */
    async connect(token?: string): Promise<ConnectionId | number> {
      api("ConnectCount", "socket");
      const connectionId = `c${++connected}=` as ConnectionId;
      const sub = `user-${connected}` as UserId;
      const identity = { sub, exp: 4e9, tags: [] as Tag[], subscribe: [], publish: [], admin: false };
      const status = await route({
        requestContext: { eventType: "CONNECT", connectionId, connectedAt: clock.now() },
        queryStringParameters: { token: token ?? tokens.sign(identity) },
      });
      if (status !== 200) return status;
      open.open(connectionId);
      return connectionId;
    },
    /** Lets `minutes` pass: runs take what the lanes hold, `load` happens at each tick, and AWS looks at the queues. */
    async pass(minutes: number, load: (tick: number) => Promise<unknown> = async () => {}): Promise<void> {
      for (let tick = 0; tick < (minutes * 60_000) / TICK; tick++) {
        const end = Math.floor(clock.now() / TICK + 1) * TICK;
        await load(tick);
        for (const lane of LANES.filter((each) => !faults.stopped.has(each))) {
          for (let records = queue.receive(lane); records.length > 0; records = queue.receive(lane)) {
            const batch = records;
            const kept = await invoke("consume", () => consume(batch, { end: clock.now() + 60_000 }));
            if (typeof kept === "string") break;
            for (const { messageId } of batch) if (!kept.includes(messageId)) queue.delete(lane, messageId);
          }
        }
        for (const of of [...LANES, "dead-letters"] as const) {
          const { age, visible } = queue.look(of);
          const QueueName = idOf(of === "dead-letters" ? router.deadLetterQueue : router.lanes[of]);
          record("AWS/SQS", "ApproximateAgeOfOldestMessage", { QueueName }, age);
          record("AWS/SQS", "ApproximateNumberOfMessagesVisible", { QueueName }, visible);
        }
        // A run that waited may have taken longer than a tick.
        clock.advance(Math.max(0, end - clock.now()));
      }
    },
    alarms: () => alarmsOn(data, clock.now()),
  };
}
