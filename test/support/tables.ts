import { randomUUID } from "node:crypto";
import { ACCOUNT, CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import { createTables, startTables, type Tables } from "../../local/twin/emulators/table.ts";
import { type Layer, startFront } from "../../testing/front.ts";
import { type GuardRefusal, guard } from "../../testing/guard.ts";
import { seeded } from "../../testing/random.ts";
import { stale } from "../../testing/tables/stale.ts";
import { throttleCalls } from "../../testing/tables/throttle-calls.ts";
import { attributesOf, timeToLive } from "../../testing/tables/time-to-live.ts";
import { unprocessed } from "../../testing/tables/unprocessed.ts";
import { upstream } from "../../testing/upstream.ts";
import { NOW } from "./message.ts";

export interface CheckedTables extends Tables {
  /** The same tables, short of capacity. */
  readonly busyEndpoint: string;
  readonly refusals: readonly GuardRefusal[];
  /** How many items came back unprocessed, and how many calls were throttled. */
  readonly busy: { unprocessed: number; throttled: number };
}

/** Where AWS's own engine listens, for `npm run test:dynamodb`. Without it the tables are dynalite's. */
const ENGINE = process.env["TAGWIRE_DYNAMODB"];

/**
 * The router's tables behind a front that checks signatures, refuses rows whose time to live is no seconds of the year
 * that follows the tests' time, and never shows a write to a read that is not consistent.
 */
export async function startCheckedTables(): Promise<CheckedTables> {
  const tables = ENGINE ? await createTables(ENGINE, `tagwire-${randomUUID()}`) : await startTables();
  const behind = upstream(tables.endpoint);
  const refusals: GuardRefusal[] = [];
  const busy = { unprocessed: 0, throttled: 0 };
  const signed = guard({
    ...{ service: "dynamodb", place: { region: REGION, account: ACCOUNT }, now: Date.now },
    callers: () => [{ name: "test", ...CREDENTIALS }],
    onRefusal: (refusal) => refusals.push(refusal),
  });
  const checks = [
    timeToLive({ attributes: attributesOf(tables.names), now: () => NOW }),
    stale({ milliseconds: 3_600_000, now: Date.now, call: behind.call }),
  ];
  const kind = await startFront([signed, ...checks], behind.call);
  const unkind = await startFront([signed, ...shortage(busy), ...checks], behind.call);
  return {
    ...tables,
    endpoint: kind.url,
    busyEndpoint: unkind.url,
    refusals,
    busy,
    async stop() {
      await Promise.all([kind.stop(), unkind.stop(), tables.stop()]);
      behind.stop();
    },
  };
}

/** By calls and not by time, so that a slow machine changes nothing: an item is ready two calls later. */
function shortage(busy: { unprocessed: number; throttled: number }): Layer[] {
  let batches = 0;
  const random = seeded(1);
  const onUnprocessed = (items: number) => {
    busy.unprocessed += items;
  };
  return [
    throttleCalls(50, () => busy.throttled++),
    (request, next) => {
      batches++;
      return next(request);
    },
    unprocessed({
      ...{ milliseconds: 2, share: 0.3, now: () => batches, random, whole: "comes back", onUnprocessed },
    }),
  ];
}
