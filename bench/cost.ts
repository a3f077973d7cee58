import { ASSUMPTIONS } from "../cli/plan/load.ts";
import { CHECKED, costOf, PRICES, type PriceName, REGION } from "../cli/plan/prices.ts";
import { workOf } from "../cli/plan/work.ts";
import { settings } from "../shared/settings/settings.ts";
import { type Cost, counted } from "./consume.ts";
import type { BenchReport } from "./report.ts";
import { BYTES, type Shape } from "./shape.ts";

const MILLION = 1_000_000;

/**
 * AWS AppSync Events: dollars per million operations. Operations are messages published and messages delivered. From
 * AWS's price list as copied to huggingface.co/datasets/labofsahil/aws-pricing-dataset (2024-09-01).
 */
const APPSYNC_OPERATIONS = 1;

/** Dollars per million messages, by what they are paid for. */
export async function cost(): Promise<BenchReport> {
  const rows: BenchReport["rows"][number][] = [];
  const bars: BenchReport["chart"]["bars"][number][] = [];
  const invariants: BenchReport["invariants"][number][] = [];
  for (const [shape, one] of await counted()) {
    const parts = partsOf(shape, one);
    const total = Object.values(parts).reduce((sum, usd) => sum + usd, 0);
    const rival = APPSYNC_OPERATIONS * (1 + shape.reach);
    const { http, queue, functions, tables, frames } = parts;
    rows.push(
      { cells: [`Tagwire: ${shape.name}`, http, queue, functions, tables, frames, total, total / rival] },
      { control: true, cells: [`AppSync Events: ${shape.name}`, "", "", "", "", "", rival, 1] },
    );
    if (shape.reach === 1) {
      invariants.push({
        what: `dollars per million messages, ${shape.name}`,
        got: total,
        wants: { most: shape.keeps ? 2.2 : 2.85 },
      });
    }
    bars.push(
      { label: `Tagwire: ${shape.name}`, value: total },
      { label: `AppSync Events: ${shape.name}`, value: rival, control: true },
    );
  }
  const { send, ingest, run, perMessage } = ASSUMPTIONS;
  const { sendsInFlight } = settings().advanced;
  return {
    name: "cost",
    title: "What a million messages cost",
    method:
      `Dollars for a month of a million messages: calls and units as \`consume\` counts them, times the prices of ${REGION} as of ${CHECKED} ` +
      "(`cli/plan/prices.ts` names the sources), without free allowances, connection minutes, logs and what an idle stack " +
      "costs. Ten messages share a POST, its SQS call and a run, in the two large shapes one. Time is no call and was not " +
      `counted; as in \`tagwire plan\` it is taken to be ${ingest} ms for a run of ingest, ${run} ms for a run of the consumer and ` +
      `${perMessage} ms for each of its messages, ${send} ms for a send, ${sendsInFlight} at a time. Beats are in it where a run sends for half a second, as those of the topic of 10,000. AppSync Events is priced at $${APPSYNC_OPERATIONS.toFixed(2)} per ` +
      "million operations, one for a message published and one for each delivered, up to 5 KB. It has no receipts, no " +
      "retries and no tags; an intersection would be a channel of its own.",
    packages: [],
    columns: [
      "$ per million messages",
      "HTTP API",
      "SQS",
      "Lambda",
      "DynamoDB",
      "frames",
      "in all",
      "× AppSync",
    ],
    rows,
    invariants,
    chart: { title: "Dollars per million messages", bars, logarithmic: true },
  };
}

function partsOf({ reach, targets }: Shape, { jobs, queueCalls, posts, units }: Cost) {
  const defaults = settings();
  const share = 1 / targets.length;
  const load = { bytes: BYTES, perPost: targets.length, perRun: targets.length };
  const { time } = workOf({ audience: reach }, load, defaults, ASSUMPTIONS);
  const usd = (price: PriceName, each: number) => costOf(PRICES[price], each * MILLION);
  const gigabyteSeconds = (milliseconds: number, name: "ingest" | "consume") =>
    usd(
      "gigabyteSeconds",
      (milliseconds / 1000) * (defaults.advanced.functions[name].memoryMegabytes / 1024),
    );
  const sends = share + queueCalls;
  const runs = share + jobs;
  return {
    http: usd("httpRequests", share),
    // Each run is received once and deleted once.
    queue: usd("queueRequests", sends + 2 * runs) + usd("fairRequests", sends),
    functions:
      usd("invocations", share + runs) +
      gigabyteSeconds(time.ingest, "ingest") +
      gigabyteSeconds(time.own + time.fanout, "consume"),
    tables: usd("readUnits", units.read) + usd("writeUnits", units.write),
    frames: usd("socketMessages", posts),
  };
}
