import { setTimeout as pause } from "node:timers/promises";
import { messageCost } from "./consume.ts";
import { fill, ours, startFixture, stopFixture } from "./fixture.ts";
import type { BenchReport, Cell } from "./report.ts";
import { SHAPES, type Shape } from "./shape.ts";
import { type Appended, appended, CALL, type Load, REST } from "./streams/append.ts";
import { resumed } from "./streams/resume.ts";

const KEPT = {
  userStreams: { seconds: 3_600, count: 1_000 },
  streams: [{ topics: "*", seconds: 3_600, count: 1_000 }],
};

/** What a message of the shape is: ten of them in a run, or one alone. */
const alone = (shape: Shape): Shape => ({ ...shape, targets: shape.targets.slice(0, 1) });

/** Milliseconds after which a container does not expect others to append. */
const QUIET = 300;

const LOADS: readonly (Load & { readonly name: string })[] = [
  { name: "1 run, one message after the other", runs: 1 },
  { name: "6 runs, one message after the other", runs: 6 },
  { name: "16 runs, one message after the other", runs: 16 },
  { name: "2 messages a second, 6 runs", runs: 6, perSecond: 2 },
  { name: "20 messages a second, 6 runs", runs: 6, perSecond: 20 },
  { name: "200 messages a second, 6 runs", runs: 6, perSecond: 200 },
  { name: "200 messages a second, 16 runs", runs: 16, perSecond: 200 },
];

/** What streams cost: per message, per resume, and while many runs append to one stream. */
export async function streams(): Promise<BenchReport> {
  const rows: { readonly cells: readonly Cell[] }[] = [];
  const fixture = await startFixture();
  const [, topic] = SHAPES;
  if (topic === undefined) throw new Error("there is no shape of a topic");
  await fill(fixture, topic);
  const each = [];
  for (const shape of [topic, alone(topic)]) {
    for (const kept of [{}, KEPT]) {
      const consumer = (on: typeof fixture, tables: string) => ours(on, tables, kept);
      // The first one starts the stream. The second one finds it quiet.
      await messageCost(fixture, shape, consumer);
      await pause(QUIET);
      const cost = await messageCost(fixture, shape, consumer);
      const { queries, otherReads, writes, units } = cost;
      each.push(cost);
      const name = `a message, ${shape.targets.length} in a run, ${kept === KEPT ? "with" : "without"} a stream`;
      rows.push({ cells: [name, "", queries + otherReads + writes, units.read, units.write, "", ""] });
    }
  }
  for (const missed of [1, 100, 10_000]) {
    const { replies, calls, reads, kilobytes } = await resumed(fixture, missed);
    const name = `a resume after ${missed.toLocaleString("en-US")} missed: ${replies} replies, ${Math.ceil(kilobytes)} KB`;
    rows.push({ cells: [name, "", calls, reads, 0, "", ""] });
  }
  await stopFixture(fixture);

  const results = new Map<string, Appended>();
  for (const load of LOADS) {
    const result = await appended(load);
    results.set(load.name, result);
    const { perSecond, calls, reads, writes, median, p99 } = result;
    rows.push({ cells: [load.name, perSecond, calls, reads, writes, median, p99] });
  }
  const of = (name: string) => results.get(name) ?? { perSecond: Number.NaN, writes: Number.NaN };
  const [, , without, withStream] = each;
  return {
    name: "streams",
    title: "Streams",
    method:
      "A message to a topic of 50, 500 bytes of data, through the consumer as in `consume`: its calls of tables and their " +
      "units. A resume reads all that was missed, messages of a kilobyte, in replies of at most 120 KB; calls and units are " +
      "those of one client. Units are what dynalite says was consumed. The appends below run on a clock that jumps: 30 " +
      `seconds, the mean of three seeds, a call of a table takes ${CALL} ms, messages of a kilobyte (row included) arrive at ` +
      `random and go in batches of up to ten to the runs; a run claims (${CALL} ms), appends, and has ${REST / 2} to ${REST * 1.5} ms of ` +
      "other work. Calls and units are per message and those of streams alone; a put that fails is billed by the larger row. " +
      "Median and p99 are the milliseconds of an append.",
    packages: ["@aws-sdk/client-dynamodb", "dynalite"],
    columns: ["streams", "messages per second", "calls", "read units", "write units", "median", "p99"],
    rows,
    invariants: [
      {
        what: "messages a second of 200, 6 runs",
        got: of("200 messages a second, 6 runs").perSecond,
        wants: { least: 195 },
      },
      {
        what: "write units a message at 200 a second, 6 runs",
        got: of("200 messages a second, 6 runs").writes,
        wants: { most: 1.6 },
      },
      {
        what: "write units that a stream adds to a message alone in its run",
        got: (withStream?.units.write ?? Number.NaN) - (without?.units.write ?? Number.NaN),
        wants: { most: 1 },
      },
      {
        what: "read units that a stream adds to a message alone in its run",
        got: (withStream?.units.read ?? Number.NaN) - (without?.units.read ?? Number.NaN),
        wants: { most: 1 },
      },
    ],
    chart: {
      title: "Messages per second to one stream",
      bars: [...results].map(([label, { perSecond }]) => ({ label, value: perSecond })),
    },
  };
}
