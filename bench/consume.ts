import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { ApiGatewayManagementApiClient } from "@aws-sdk/client-apigatewaymanagementapi";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Context, SQSBatchResponse, SQSEvent } from "aws-lambda";
import { consumeHandler } from "../functions/consume.ts";
import type { World } from "../functions/world.ts";
import { CREDENTIALS, queueArn, REGION } from "../local/aws.ts";
import type { Target } from "../shared/domain/target.ts";
import { settings } from "../shared/settings.ts";
import { type Calls, callsOf, sum } from "./calls.ts";
import { type Child, startChild } from "./child.ts";
import { perCpuSecond, rateOf, ratio } from "./measure.ts";
import { plainConsumer } from "./plain/consume.ts";
import type { Report } from "./report.ts";
import type { GatewayReady } from "./server/gateway.ts";
import type { QueueQuestion, QueueReady } from "./server/queue.ts";
import type { TableQuestion, TableReady, Units } from "./server/table.ts";

const OURS = "Tagwire";
const PLAIN = "plain consumer";
export const BYTES = 500;

export interface Shape {
  readonly name: string;
  /** The lists its messages need. */
  readonly lists: Readonly<Record<string, readonly string[]>>;
  /** The targets of one batch. */
  readonly targets: readonly Target[];
  /** Connections that one message reaches. */
  readonly reach: number;
  readonly rounds: number;
  readonly least: number;
}

const ids = (count: number, prefix: string) =>
  Array.from(
    { length: count },
    (_, i) => `${Buffer.from(`${prefix}${i}`.padStart(11, "c")).toString("base64")}`,
  );
const batch = (target: (i: number) => unknown) => Array.from({ length: 10 }, (_, i) => target(i) as Target);

const SHORT = ids(100, "s");

const SHAPES: readonly Shape[] = [
  {
    name: "one user each",
    lists: Object.fromEntries(ids(10, "u").map((id, i) => [`user:${i}`, [id]])),
    targets: batch((i) => ({ user: String(i) })),
    reach: 1,
    rounds: 9,
    least: 1.2,
  },
  {
    name: "a topic of 50",
    lists: { "topic:fifty": ids(50, "f") },
    targets: batch(() => ({ topic: "fifty" })),
    reach: 50,
    rounds: 9,
    least: 4,
  },
  {
    name: "a topic of 10,000",
    lists: { "topic:large": ids(10_000, "l") },
    targets: [{ topic: "large" } as Target],
    reach: 10_000,
    rounds: 3,
    least: 4,
  },
  {
    name: "100,000 ∩ 100",
    lists: { "region:large": [...ids(99_950, "r"), ...SHORT.slice(0, 50)], "plan:short": SHORT },
    targets: [{ tags: { all: ["region:large", "plan:short"] } } as Target],
    reach: 50,
    rounds: 3,
    least: 4,
  },
];

type Consumer = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

interface Stand {
  readonly gateway: Child<GatewayReady, "posts", number>;
  readonly queue: Child<QueueReady, QueueQuestion, readonly string[]>;
  readonly tables: Child<TableReady, TableQuestion, Units>;
}

/** What one message takes. */
export interface Cost {
  /** Jobs that it is split into. */
  readonly jobs: number;
  readonly queueCalls: number;
  readonly queries: number;
  readonly otherReads: number;
  readonly writes: number;
  readonly posts: number;
  readonly units: Units;
}

/** Messages per CPU-second of the consumer, and what a message takes in calls and units. */
export async function consume(): Promise<Report> {
  const stand = await startStand();
  const rows: Report["rows"][number][] = [];
  const verdicts: Report["verdicts"][number][] = [];
  const bars: Report["chart"]["bars"][number][] = [];
  for (const shape of SHAPES) {
    await fill(stand, shape);
    const { endpoint } = stand.tables.ready;
    const contestants = [
      { name: PLAIN, run: oneBatch(stand, shape, plain(stand, endpoint)) },
      { name: OURS, run: oneBatch(stand, shape, ours(stand, endpoint)) },
    ];
    const rates = await perCpuSecond(contestants, {
      rounds: shape.rounds,
      window: 400,
      before: () => stand.queue.ask({ ask: "empty" }),
    });
    for (const { name } of contestants) {
      const cost = await costOf(stand, shape, name === OURS ? ours : plain);
      const label = `${name}: ${shape.name}`;
      const rate = rateOf(rates, name) * shape.targets.length;
      rows.push({
        control: name !== OURS,
        cells: [
          label,
          rate,
          ratio(rates, name, PLAIN),
          cost.queueCalls,
          cost.queries,
          cost.otherReads,
          cost.writes,
          cost.posts,
          cost.units.read,
          cost.units.write,
        ],
      });
      bars.push({ label, value: rate, control: name !== OURS });
      if (name !== OURS) continue;
      verdicts.push({
        what: `Tagwire to the plain consumer, ${shape.name}`,
        got: ratio(rates, OURS, PLAIN),
        wants: { least: shape.least },
      });
      if (shape.reach <= 50) {
        verdicts.push({ what: `writes per message, ${shape.name}`, got: cost.writes, wants: { most: 2 } });
      }
      if (shape.reach <= 50 && !shape.name.includes("∩")) {
        verdicts.push({ what: `queries per message, ${shape.name}`, got: cost.queries, wants: { most: 1 } });
      }
      if (shape.name.includes("∩")) {
        verdicts.push({ what: "read units of the intersection", got: cost.units.read, wants: { most: 120 } });
      }
    }
  }
  await Promise.all([stand.gateway.stop(), stand.queue.stop(), stand.tables.stop()]);
  return {
    name: "consume",
    title: "Serving messages",
    method:
      `The consumer called with SQS events of ten messages (one for the two large shapes), ${BYTES} bytes of data each. ` +
      "SQS is fauxqs, DynamoDB is dynalite and the gateway is an HTTP server that takes every post, each in another " +
      "process; counted is the CPU time of the consumer's process. The plain consumer queries and then posts one by one, " +
      "as published samples do, with SDK clients as shipped. Tagwire also claims, paces, retries, splits and writes " +
      "receipts; a topic of 10,000 becomes four jobs on the fanout lane, which are counted in. The account's request quota " +
      "is set out of reach, so that pacing waits for nothing. Calls and units are per message, counted in runs of their " +
      "own; units are what dynalite says was consumed.",
    packages: ["@aws-sdk/client-dynamodb", "undici", "dynalite", "fauxqs"],
    columns: [
      "messages per CPU-second",
      "median",
      "× plain",
      "SQS calls",
      "queries",
      "other reads",
      "writes",
      "posts",
      "read units",
      "write units",
    ],
    rows,
    verdicts,
    chart: { title: "Messages per CPU-second", bars, logarithmic: true },
  };
}

/** What a message of each shape takes. */
export async function counted(): Promise<ReadonlyMap<Shape, Cost>> {
  const stand = await startStand();
  const costs = new Map<Shape, Cost>();
  for (const shape of SHAPES) {
    await fill(stand, shape);
    costs.set(shape, await costOf(stand, shape, ours));
  }
  await Promise.all([stand.gateway.stop(), stand.queue.stop(), stand.tables.stop()]);
  return costs;
}

async function startStand(): Promise<Stand> {
  const [gateway, queue, tables] = await Promise.all([
    startChild<GatewayReady, "posts", number>("gateway"),
    startChild<QueueReady, QueueQuestion, readonly string[]>("queue"),
    startChild<TableReady, TableQuestion, Units>("table"),
  ]);
  return { gateway, queue, tables };
}

async function fill({ tables }: Stand, { lists }: Shape): Promise<void> {
  for (const [tag, connections] of Object.entries(lists)) await tables.ask({ ask: "fill", tag, connections });
}

async function costOf(
  stand: Stand,
  shape: Shape,
  consumer: (stand: Stand, tables: string) => Consumer,
): Promise<Cost> {
  const run = oneBatch(stand, shape, consumer(stand, stand.tables.ready.countedAt));
  const before = await stand.tables.ask({ ask: "units" });
  let jobs = 0;
  const calls: Calls = await callsOf(async () => {
    jobs = await run();
  });
  const after = await stand.tables.ask({ ask: "units" });
  const each = (count: number) => count / shape.targets.length;
  return {
    jobs: each(jobs),
    queueCalls: each(sum(calls, "SendMessage", "SendMessageBatch", "ChangeMessageVisibility")),
    queries: each(sum(calls, "Query")),
    otherReads: each(sum(calls, "GetItem", "BatchGetItem")),
    writes: each(sum(calls, "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem")),
    posts: each(sum(calls, "PostToConnection")),
    units: { read: each(after.read - before.read), write: each(after.write - before.write) },
  };
}

/** Serves one batch and the jobs that it was split into, and answers their number. Fails where a post was not made. */
function oneBatch({ gateway, queue }: Stand, { targets, reach }: Shape, consumer: Consumer) {
  return async (): Promise<number> => {
    const before = await gateway.ask("posts");
    await invoke(consumer, targets.map(bodyOf), "normal");
    let jobs = 0;
    if (reach > 1_000) {
      for (const body of await queue.ask({ ask: "take", lane: "fanout" })) {
        await invoke(consumer, [body], "fanout");
        jobs++;
      }
    }
    const posts = (await gateway.ask("posts")) - before;
    const due = targets.length * reach;
    if (posts !== due) throw new Error(`${posts} posts were made, ${due} were due`);
    return jobs;
  };
}

async function invoke(consumer: Consumer, bodies: readonly string[], lane: string): Promise<void> {
  const Records = bodies.map((body) => ({
    messageId: randomUUID(),
    receiptHandle: "handle",
    body,
    attributes: { ApproximateReceiveCount: "1" },
    eventSourceARN: queueArn(`tagwire-${lane}`),
  }));
  const context = { getRemainingTimeInMillis: () => 60_000 } as Context;
  const { batchItemFailures } = await consumer({ Records } as unknown as SQSEvent, context);
  if (batchItemFailures.length > 0) throw new Error(`${batchItemFailures.length} records failed`);
}

const bodyOf = (target: Target): string =>
  JSON.stringify({
    message: {
      id: randomUUID(),
      producer: "producer",
      copy: randomUUID(),
      target,
      event: "order.shipped",
      data: { note: "x".repeat(BYTES - 11) },
      priority: "normal",
      time: new Date().toISOString(),
      dedupeSeconds: 300,
    },
  });

function plain({ gateway, tables }: Stand, endpoint: string): Consumer {
  const common = { region: REGION, credentials: CREDENTIALS };
  return plainConsumer({
    tables: new DynamoDBClient({ ...common, endpoint }),
    posts: new ApiGatewayManagementApiClient({ ...common, endpoint: gateway.ready.endpoint }),
    table: tables.ready.names.subscriptions,
  });
}

function ours({ gateway, queue, tables }: Stand, endpoint: string): Consumer {
  const { urls, deadLetterUrl } = queue.ready;
  const { names } = tables.ready;
  const world: World = {
    env: {
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_ENDPOINT_URL_SQS: queue.ready.endpoint,
      AWS_ENDPOINT_URL_DYNAMODB: endpoint,
      ...Object.fromEntries(
        Object.entries(urls).map(([lane, url]) => [`QUEUE_URL_${lane.toUpperCase()}`, url]),
      ),
      DEAD_LETTER_QUEUE_URL: deadLetterUrl,
      CONNECTIONS_TABLE: names.connections,
      SUBSCRIPTIONS_TABLE: names.subscriptions,
      RECEIPTS_TABLE: names.receipts,
      SOCKET_ENDPOINT: gateway.ready.endpoint,
      SETTINGS: JSON.stringify(settings({ delivery: { pace: { quota: 1_000_000, share: 1 } } })),
    },
    write: () => {},
    readSecret: async () => "",
    clock: {
      now: Date.now,
      pause: async (milliseconds) => {
        await pause(milliseconds);
      },
    },
    random: Math.random,
  };
  return consumeHandler(world);
}
