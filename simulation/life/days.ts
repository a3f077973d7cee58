import { OWN_STREAM } from "../../shared/protocol/stream-frame.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import { keepsStreams } from "../../shared/streams/kept.ts";
import type { StreamRow } from "../../shared/streams/stream.ts";
import { SKEW } from "../world/network.ts";
import type { Reader } from "../world/reader.ts";
import type { Simulation } from "../world/world.ts";
import { isBroken, untilQuiet } from "./quiet.ts";
import { reader } from "./reader.ts";
import { burst, liveAsReader } from "./streams.ts";

const SECOND = 1_000;
const HOUR = 3_600_000;
/** How long a later day lasts, half of it before its moment. */
const DAY = 60 * SECOND;
/** How long before its moment all is quiet: what straggles then takes a minute more. */
const EVE = 2 * DAY;
/** Hours before its time to live at which a head stops counting. */
const MARGIN = 6 * HOUR;

/**
 * Days on which nothing happens but at one moment each: heads stop counting, rows are deleted late and in any order,
 * and clients come back with old positions.
 */
export async function laterDays(world: Simulation): Promise<void> {
  if (!keepsStreams(world.settings) || world.readers.length === 0) return;
  const { dice, readers, faults } = world;
  const chosen = dice.pick(readers);
  const plan = dice.pick(PLANS);
  const keeper = plan.includes("missed") ? companion(world, chosen) : undefined;
  for (const [day, kind] of plan.entries()) {
    if (isBroken(world)) return;
    const isLast = day === plan.length - 1;
    await untilQuiet(
      world,
      ...readers.map(async (one) => (one === chosen || dice.chance(0.8) ? one.cut() : undefined)),
    );
    const moment = momentOf(world, chosen, kind);
    world.trace.note("day", kind, () => `of ${chosen.follower.stream} at ${moment - world.opening} ms`);
    await untilQuiet(world, world.scheduler.sleep(Math.max(0, moment - EVE - world.scheduler.now())));
    const present = readers.filter((one) => (one === chosen ? isLast : one === keeper || dice.chance(0.6)));
    const lower = dice.chance(0.5) ? faults.raise("append-late", LATE) : undefined;
    await untilQuiet(world, ...dayOf(world, moment, kind, chosen, present));
    lower?.();
  }
}

/** Another client of the same stream, which keeps it alive while the chosen one is away. */
function companion(world: Simulation, { name, follower }: Reader): Reader {
  const user = name === OWN_STREAM ? (follower.stream.slice("user:".length) as UserId) : undefined;
  const one = reader(world, name, user);
  world.readers.push(one);
  return one;
}

/** What each day is about. The last plans let messages expire that a client has missed, while their stream goes on. */
const PLANS: readonly (readonly Moment[])[] = [
  [],
  ["end"],
  ["end", "end"],
  ["limit"],
  ["limit", "end"],
  ["end", "limit"],
  ["any", "limit"],
  ["few", "before", "missed"],
  ["few", "before", "missed"],
];

/** When a head stops counting or may be deleted; before that; when what the client has missed may be; or any time. */
type Moment = "limit" | "end" | "before" | "missed" | "few" | "any";

/** Bursts on each day. A stream goes on by the numbers without data that its clients leave, too. */
const BURSTS: Readonly<Record<Moment, readonly [number, number]>> = {
  limit: [1, 6],
  end: [1, 6],
  before: [0, 0],
  missed: [0, 2],
  few: [1, 2],
  any: [2, 10],
};

function momentOf(
  { tables, dice, scheduler }: Simulation,
  { follower, position }: Reader,
  kind: Moment,
): number {
  const rows = tables.streams.rowsOf(follower.stream);
  const head = rows.at(-1)?.expiresAt ?? 0;
  const isMissed = ({ next, messages }: StreamRow) =>
    next - 1 > (position() ?? 0) && messages.some((frame) => frame !== "");
  const missed = rows.findLast(isMissed)?.expiresAt ?? 0;
  const any = scheduler.now() + dice.whole(1, 30) * HOUR;
  const moments = {
    limit: head - MARGIN,
    end: head,
    before: head - MARGIN - HOUR,
    missed: missed + DAY,
    few: any,
    any,
  };
  return moments[kind] > scheduler.now() ? moments[kind] : any;
}

/**
 * When the others come, in milliseconds after the first, and over how many. Whoever is there before the limit moves it: so
 * all come at once, when not every clock says that it is past, or when what the first sent has not come to the table yet.
 */
const COMINGS = [
  { after: 0, spread: 100 },
  { after: 0, spread: 500 },
  { after: 500, spread: 2_000 },
  { after: 1_000, spread: 2_000 },
];

/** The part of rows that come late on half of the days. */
const LATE = 0.7;

/** A minute around a moment: runs append and clients come to one stream from all sides. */
function dayOf(
  world: Simulation,
  moment: number,
  kind: Moment,
  chosen: Reader,
  present: readonly Reader[],
): Promise<void>[] {
  const { scheduler, dice } = world;
  const until = moment + DAY / 2;
  const first = moment + dice.whole(-SKEW, SKEW / 2);
  const { after, spread } = dice.pick(COMINGS);
  const at = (least: number, most: number) =>
    scheduler.sleep(first + dice.whole(least, most) - scheduler.now());
  const visits = present.map(async (one) => {
    await at(after, after + dice.pick([spread, 20_000]));
    await liveAsReader(world, one, until);
  });
  const posts = Array.from({ length: dice.whole(...BURSTS[kind]) }, async (_, i) => {
    await (i === 0 ? at(0, 0) : at(after, after + spread));
    await burst(world, dice.chance(0.8) ? chosen : dice.pick(world.readers));
  });
  return [timeToLive(world, until), ...visits, ...posts];
}

/** Deletes rows that have expired, each at some time. */
async function timeToLive({ scheduler, dice, tables }: Simulation, until: number): Promise<void> {
  const late = dice.pick([0.1, 0.5, 1]);
  while (scheduler.now() < until) {
    tables.streams.expire(scheduler.now(), () => dice.chance(late));
    await scheduler.sleep(dice.whole(100, 900));
  }
}
