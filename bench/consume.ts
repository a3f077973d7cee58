import { type Calls, callsOf, roundTripsOf, sum } from "./calls.ts";
import {
  type Consumer,
  type Fixture,
  fill,
  oneBatch,
  ours,
  plain,
  startFixture,
  stopFixture,
} from "./fixture.ts";
import { perCpuSecond, rateOf, ratio } from "./measure.ts";
import type { BenchReport } from "./report.ts";
import type { Units } from "./server/table.ts";
import { BYTES, SHAPES, type Shape } from "./shape.ts";

const OURS = "Tagwire";
const PLAIN = "plain consumer";

/** Ingest makes one, to SQS; `npm run bench -- ingest` counts them. */
const INGEST_CALLS = 1;

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
  /** Calls one after another, from its receive to its ending. */
  readonly roundTrips: number;
}

/** Messages per CPU-second of the consumer, and what a message takes in calls and units. */
export async function consume(): Promise<BenchReport> {
  const fixture = await startFixture();
  const rows: BenchReport["rows"][number][] = [];
  const invariants: BenchReport["invariants"][number][] = [];
  const bars: BenchReport["chart"]["bars"][number][] = [];
  for (const shape of SHAPES) {
    await fill(fixture, shape);
    const { endpoint } = fixture.tables.ready;
    const contestants = [
      { name: PLAIN, run: oneBatch(fixture, shape, plain(fixture, endpoint)) },
      { name: OURS, run: oneBatch(fixture, shape, ours(fixture, endpoint)) },
    ];
    const rates = await perCpuSecond(contestants, {
      rounds: shape.rounds,
      window: 400,
      before: () => fixture.queue.ask({ ask: "empty" }),
    });
    for (const { name } of contestants) {
      const cost = await messageCost(fixture, shape, name === OURS ? ours : plain);
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
          INGEST_CALLS + cost.roundTrips,
        ],
      });
      bars.push({ label, value: rate, control: name !== OURS });
      if (name !== OURS) continue;
      if (shape.reach === 1) {
        invariants.push({
          what: `round trips of a message, ${shape.name}`,
          got: INGEST_CALLS + cost.roundTrips,
          wants: { most: 4 },
        });
      }
      invariants.push({
        what: `Tagwire to the plain consumer, ${shape.name}`,
        got: ratio(rates, OURS, PLAIN),
        wants: { least: shape.least },
      });
      if (shape.reach <= 50) {
        invariants.push({
          what: `writes per message, ${shape.name}`,
          got: cost.writes,
          wants: { most: shape.keeps ? 1 : 2 },
        });
      }
      if (shape.reach <= 50 && !shape.name.includes("∩")) {
        invariants.push({
          what: `queries per message, ${shape.name}`,
          got: cost.queries,
          wants: { most: 1 },
        });
      }
      if (shape.name.includes("∩")) {
        invariants.push({
          what: "read units of the intersection",
          got: cost.units.read,
          wants: { most: 120 },
        });
      }
    }
  }
  await stopFixture(fixture);
  return {
    name: "consume",
    title: "Serving messages",
    method:
      `The consumer called with SQS events of ten messages (one for the two large shapes), ${BYTES} bytes of data each. ` +
      "SQS is fauxqs, DynamoDB is dynalite and the gateway is an HTTP server that takes every post, each in another " +
      "process; counted is the CPU time of the consumer's process. The plain consumer queries and then posts one by one, " +
      "as published samples do, with SDK clients as shipped. Tagwire also claims, limits its rate, retries, splits and writes " +
      "receipts; a topic of 10,000 becomes four jobs on the fanout lane, which are counted in. The account's request quota " +
      "is set out of reach, so that the rate limiter waits for nothing. Calls and units are per message, counted in runs of their " +
      "own; units are what dynalite says was consumed. Round trips are those of one message by itself, one after another, " +
      "from ingest's call to SQS to the ending; the plain consumer's have that call too.",
    packages: ["@aws-sdk/client-dynamodb", "dynalite", "fauxqs"],
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
      "round trips",
    ],
    rows,
    invariants,
    chart: { title: "Messages per CPU-second", bars, logarithmic: true },
  };
}

/** What a message of each shape takes. */
export async function counted(): Promise<ReadonlyMap<Shape, Cost>> {
  const fixture = await startFixture();
  const costs = new Map<Shape, Cost>();
  for (const shape of SHAPES) {
    await fill(fixture, shape);
    costs.set(shape, await messageCost(fixture, shape, ours));
  }
  await stopFixture(fixture);
  return costs;
}

/** What one message of a shape takes. */
export async function messageCost(
  fixture: Fixture,
  shape: Shape,
  consumer: (fixture: Fixture, tables: string) => Consumer,
): Promise<Cost> {
  const counting = consumer(fixture, fixture.tables.ready.countedAt);
  const run = oneBatch(fixture, shape, counting);
  const before = await fixture.tables.ask({ ask: "units" });
  let jobs = 0;
  const calls: Calls = await callsOf(async () => {
    jobs = await run();
  });
  const after = await fixture.tables.ask({ ask: "units" });
  const each = (count: number) => count / shape.targets.length;
  const alone = oneBatch(fixture, { ...shape, targets: shape.targets.slice(0, 1) }, counting);
  return {
    jobs: each(jobs),
    queueCalls: each(sum(calls, "SendMessage", "SendMessageBatch", "ChangeMessageVisibility")),
    queries: each(sum(calls, "Query")),
    otherReads: each(sum(calls, "GetItem", "BatchGetItem")),
    writes: each(sum(calls, "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem")),
    posts: each(sum(calls, "PostToConnection")),
    units: { read: each(after.read - before.read), write: each(after.write - before.write) },
    roundTrips: await roundTripsOf(alone),
  };
}
