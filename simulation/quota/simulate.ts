import type { QuotaBeats, RunTelemetry } from "../../shared/ports.ts";
import { memoryQuotaBeats } from "../../testing/memory/quota-beats.ts";
import { type Dice, dice as diceOf } from "../world/dice.ts";
import { bucket } from "./bucket.ts";
import { type Container, type ContainerOptions, container } from "./container.ts";
import { EPOCH, type Events, events as eventsOf } from "./events.ts";
import { NONE, type QuotaMutant } from "./mutants.ts";
import { type Record, record } from "./record.ts";

export interface QuotaScenario {
  /** What the account has. */
  readonly quota: { readonly perSecond: number; readonly burst: number };
  /** What the routers believe it has. @default the same */
  readonly believedPerSecond?: number;
  /** Requests of others per second. @default 500 */
  readonly othersPerSecond?: number;
  readonly seconds: number;
  readonly containers: readonly Partial<ContainerOptions>[];
  /** Seconds within which the containers begin. @default 1 */
  readonly startSeconds?: number;
  /** The part of the calls to the table that is lost, before it or after it. @default 0 */
  readonly lostCalls?: number;
  /** Seconds at which something happens to the containers. */
  readonly happenings?: readonly {
    readonly at: number;
    readonly what: (containers: readonly Container[]) => void;
  }[];
}

export interface QuotaReport extends Pick<Record, "rate" | "most" | "refused" | "firstAt"> {
  /** Containers that in the end took the account for throttled. */
  readonly throttled: number;
  /** Beats, as the table counts its writes. */
  readonly writes: number;
}

export interface QuotaOptions {
  /** @default 1 */
  readonly seed?: string;
  /** @default none */
  readonly mutant?: QuotaMutant;
  /** Makes the telemetry of a run; `now` returns milliseconds since 1970. @default nobody reads it */
  readonly telemetry?: (now: () => number) => RunTelemetry;
}

const UNREAD: RunTelemetry = { count() {}, observe() {}, warn() {}, flush() {} };

/** Runs of the stack's default lanes. */
const RUNS = 28;

export async function simulateQuota(
  scenario: QuotaScenario,
  { seed = "1", mutant = NONE, telemetry = () => UNREAD }: QuotaOptions = {},
): Promise<QuotaReport> {
  const { quota, believedPerSecond = quota.perSecond, othersPerSecond = 500, startSeconds = 1 } = scenario;
  const dice = diceOf(seed);
  const events = eventsOf();
  const now = () => EPOCH + events.now();
  const seen = record();
  const account = bucket(quota);
  const send = () => {
    seen.onSend(events.now());
    return account.take(events.now());
  };
  const item = memoryQuotaBeats(() => Math.floor(now() / 1_000) * 1_000);
  let writes = 0;
  const counted: QuotaBeats = {
    ...item,
    beat: (entry) => {
      writes++;
      return item.beat(entry);
    },
  };
  const beats = network(counted, { events, dice, lost: scenario.lostCalls ?? 0 });
  const containers = scenario.containers.map((options, i) => {
    const defaults: ContainerOptions = {
      id: `c-${10 + i}`,
      policy: { quotaRequestsPerSecond: believedPerSecond, quotaFraction: 0.8 },
      runs: RUNS,
      sendsInFlight: 200,
      weight: 4,
      sendsPerRun: Number.POSITIVE_INFINITY,
      betweenRuns: 10,
      ahead: 0,
      slowClients: 0,
    };
    const world = { events, dice, beats, send, mutant, telemetry: () => telemetry(now) };
    return container({ ...defaults, ...options }, world);
  });
  for (const one of containers) events.at(dice.next() * startSeconds * 1_000, one.start);
  for (const { at, what } of scenario.happenings ?? []) events.at(at * 1_000, () => what(containers));

  const end = scenario.seconds * 1_000;
  const other = () => {
    seen.onOther(events.now(), !account.take(events.now()));
    const gap = (-Math.log(1 - dice.next()) * 1_000) / othersPerSecond;
    events.at(events.now() + gap, other);
  };
  other();
  await events.run(end);
  return { ...seen, throttled: containers.filter((one) => one.isThrottled()).length, writes };
}

interface Network {
  readonly events: Events;
  readonly dice: Dice;
  readonly lost: number;
}

/** Calls take 5-15 ms. A lost one is written or not, and fails after the timeout of its client. */
function network(beats: QuotaBeats, { events, dice, lost }: Network): QuotaBeats {
  const half = () => events.pause(2.5 + dice.next() * 5);
  const call = async <T>(work: () => Promise<T>): Promise<T> => {
    await half();
    const [isLost, isWritten] = [dice.chance(lost), dice.chance(0.5)];
    const result = isLost && !isWritten ? undefined : await work();
    await (isLost ? events.pause(450) : half());
    if (isLost || result === undefined) throw new Error("the call was lost");
    return result;
  };
  return {
    beat: (entry) => call(() => beats.beat(entry)),
    read: () => call(() => beats.read()),
    remove: (entry) => call(() => beats.remove(entry).then(() => true)).then(() => {}),
  };
}
