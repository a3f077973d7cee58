import { visibilitySeconds } from "../../shared/settings/derived.ts";
import type { Simulation } from "../world/world.ts";
import { type MessageRecord, nameOf } from "./message-record.ts";

/** Milliseconds after an outage within which what waited for it is delivered: the longest back-off. */
const BACK_OFF = 300_000;
/** Milliseconds that a message takes of the run that delivers it, at most, once nothing is down. */
const EACH = 1_000;
/** Milliseconds within which a healthy client has a message, whichever others do not read. */
const HEALTHY = 40_000;

/** Rules on what an outage leaves behind, and poison, and clients that do not read. */
export function judgeAftermath(world: Simulation): void {
  const { scenario, oracle } = world;
  const accepted = oracle.book.records.filter(({ accepted }) => accepted);
  if (scenario.outage || scenario.poison !== undefined) {
    for (const record of accepted) {
      if (record.content.poison) poisoned(world, record);
      else waitedOut(world, record, accepted);
    }
  }
  if (scenario.slow !== undefined) for (const record of accepted) besideSlow(world, record);
}

function waitedOut(
  { oracle, outages, settings }: Simulation,
  record: MessageRecord,
  all: readonly MessageRecord[],
): void {
  const { receipt, endedAt = Number.POSITIVE_INFINITY, postedAt, delaySeconds = 0, message } = record;
  const state = receipt?.state;
  const what = `${nameOf(record)} is ${state}: ${receipt?.reason}`;
  const fine = state === "delivered" || state === "no-recipients" || state === "expired";
  if (!fine) {
    oracle.violate("an outage is waited out", what);
    return;
  }
  // Those that a run took together with poison come back by the visibility timeout, and then one after the other.
  const poison = all.filter(({ content }) => content.poison).length;
  const again = poison * (visibilitySeconds(settings) * 1000 + BACK_OFF);
  const due = Math.max(outages.endedAt() ?? 0, postedAt + delaySeconds * 1000);
  const latest = due + BACK_OFF + all.length * EACH + again;
  const late = Math.round((endedAt - due) / 1000);
  if (state !== "expired") {
    if (endedAt > latest) oracle.violate("after an outage all is delivered soon", `${what}, after ${late} s`);
  } else if ((message?.expiresAt ?? 0) > latest) {
    oracle.violate("an outage is waited out", `${what}, although there was time`);
  }
}

/** An outage may hide a death: a message that is received in between does not tell that its run died. */
function poisoned({ oracle, settings, scenario }: Simulation, record: MessageRecord): void {
  const { deathLimit: deaths } = settings.advanced;
  const { receipt, jobRuns } = record;
  const died = jobRuns.filter(({ actor }) => actor.death === "poison").length;
  const isDead = receipt?.state === "dead" && receipt.reason?.startsWith(`${deaths} runs died`);
  const parts = new Set(jobRuns.map(({ part }) => part)).size;
  const isExact = !scenario.outage && parts === 1;
  if (isDead && died >= deaths && (!isExact || died === deaths)) return;
  const what = `${nameOf(record)} is ${receipt?.state} after ${died} deaths: ${receipt?.reason}`;
  oracle.violate("poison ends dead after five deaths, and says so", what);
}

function besideSlow({ oracle, gateway }: Simulation, record: MessageRecord): void {
  for (const socket of gateway.sockets) {
    if (socket.slow) continue;
    const at = record.arrivals.get(socket)?.[0]?.at ?? Number.POSITIVE_INFINITY;
    if (at - record.postedAt <= HEALTHY) continue;
    const what = `${socket.connectionId} got ${nameOf(record)} after ${(at - record.postedAt) / 1000} s`;
    oracle.violate("a client that does not read delays only itself", what);
    return;
  }
}
