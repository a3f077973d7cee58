import { OWN_STREAM } from "../../shared/protocol/stream-frame.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import type { Target } from "../../shared/protocol/target.ts";
import { keepsStreams } from "../../shared/streams/kept.ts";
import type { StreamName } from "../../shared/streams/stream.ts";
import type { Simulation } from "../world/world.ts";
import { cancelSometime, type PlannedPost, planOf, post } from "./producer.ts";
import { isBroken, untilQuiet } from "./quiet.ts";
import { type Reader, reader } from "./reader.ts";

const SECOND = 1_000;
const HOUR = 3_600_000;
/** How long a later day lasts. */
const DAY = 60 * SECOND;
/** Hours before its time to live at which a head stops counting. */
const MARGIN = 6 * HOUR;

/** Clients that keep their place, and producers that post to the same streams at once. Empty where none is kept. */
export function streamLives(world: Simulation, bursts: number): Promise<void>[] {
  if (!keepsStreams(world.settings)) return [];
  const { dice, opening, closing } = world;
  const readers = dice.whole(2, 4);
  for (let i = 0; i < readers; i++) {
    const isOwn = world.settings.userStreams && dice.chance(0.25);
    world.readers.push(reader(world, isOwn ? OWN_STREAM : dice.pick(world.topics)));
  }
  return [
    ...world.readers.map((one) => liveAsReader(world, one, closing)),
    ...Array.from({ length: bursts }, async () => {
      await world.scheduler.sleep(dice.whole(0, (closing - opening) * 0.8));
      await burst(world);
    }),
  ];
}

/** Cuts, sleeps, rotates, sits on half-open sockets, loads its page again, and comes back. */
async function liveAsReader(world: Simulation, one: Reader, until: number): Promise<void> {
  const { scheduler, dice, faults } = world;
  while (scheduler.now() < until) {
    if (!one.isConnected()) await one.connect();
    await scheduler.sleep(dice.whole(500, 20_000));
    if (faults.strikes("reader-reload")) one.reload();
    if (faults.strikes("reader-rotate")) await one.rotate();
    else if (faults.strikes("reader-cut")) await one.cut();
    else if (faults.strikes("reader-sleep")) {
      await one.cut();
      await scheduler.sleep(dice.pick([dice.whole(0, 5_000), dice.whole(5_000, 120_000)]));
    } else if (dice.chance(0.5)) await one.ping();
  }
}

/** Some messages to one stream, nearly at once and in several lanes: their runs append side by side. */
async function burst(world: Simulation): Promise<void> {
  const { scheduler, dice, faults, oracle } = world;
  const { name, follower } = dice.pick(world.readers);
  const target: Target =
    name === OWN_STREAM ? { user: follower.stream.slice("user:".length) as UserId } : { topic: name };
  const size = dice.pick([1, 1, 3, 6]);
  const apart = dice.pick([0, 50, 1_000]);
  const isLarge = dice.chance(0.15);
  const posts = Array.from({ length: size }, async (_, i) => {
    await scheduler.sleep(i * apart);
    const { delaySeconds: _delay, ...plan } = planOf(world, 0);
    const id = `s${oracle.book.records.length}` as PlannedPost["id"];
    const content = isLarge ? { ...plan.content, text: LARGE } : plan.content;
    const planned = { ...plan, id, target, content };
    const cancels = faults.strikes("producer-cancel") ? cancelSometime(world, planned) : undefined;
    await post(world, [planned]);
    await cancels;
  });
  await Promise.all(posts);
}

/** A few of them do not fit one reply. */
const LARGE = "x".repeat(45_000);

/**
 * Days on which nothing happens but at one moment each: heads stop counting, rows are deleted late and in any order,
 * and clients come back with old positions.
 */
export async function laterDays(world: Simulation): Promise<void> {
  if (!keepsStreams(world.settings) || world.readers.length === 0) return;
  const { scheduler, dice, readers } = world;
  const days = dice.pick([0, 1, 2, 3]);
  for (let day = 0; day < days && !isBroken(world); day++) {
    await untilQuiet(world, Promise.all(readers.map((one) => (dice.chance(0.8) ? one.cut() : undefined))));
    const moment = momentIn(world, dice.pick(readers).follower.stream);
    await untilQuiet(world, scheduler.sleep(Math.max(0, moment - DAY / 2 - scheduler.now())));
    const until = scheduler.now() + DAY;
    const visits = readers.map(async (one) => {
      await scheduler.sleep(dice.whole(0, DAY));
      if (dice.chance(0.7)) await liveAsReader(world, one, until);
    });
    const bursts = Array.from({ length: dice.whole(1, 4) }, async () => {
      await scheduler.sleep(Math.max(0, DAY / 2 + dice.whole(-4_000, 4_000)));
      await burst(world);
    });
    await untilQuiet(world, timeToLive(world, until), ...visits, ...bursts);
  }
}

/** About when the head of a stream stops counting, or may be deleted; or any time. */
function momentIn({ tables, dice, scheduler }: Simulation, stream: StreamName): number {
  const expiresAt = tables.streams.rowsOf(stream).at(-1)?.expiresAt ?? 0;
  const any = scheduler.now() + dice.whole(1, 30) * HOUR;
  const moment = dice.pick([expiresAt - MARGIN, expiresAt - MARGIN, expiresAt, any]);
  return moment > scheduler.now() ? moment : any;
}

/** Deletes rows that have expired, each at some time. */
async function timeToLive({ scheduler, dice, tables }: Simulation, until: number): Promise<void> {
  const late = dice.pick([0.02, 0.3, 1]);
  while (scheduler.now() < until) {
    tables.streams.expire(scheduler.now(), () => dice.chance(late));
    await scheduler.sleep(500);
  }
}

/** Without faults every client catches up, and is told of all that it missed. */
export async function settleReaders(world: Simulation): Promise<void> {
  const { readers, scheduler, oracle } = world;
  if (isBroken(world) || readers.length === 0) return;
  world.faults.calm();
  world.outages.calm();
  const catchUp = async (one: Reader): Promise<void> => {
    for (let tries = 0; tries < TRIES && !one.isConnected(); tries++) {
      await one.connect();
      await scheduler.sleep(SECOND);
    }
    await one.ping();
    for (let wait = 0; wait < TRIES && one.isBehind(); wait++) await scheduler.sleep(10 * SECOND);
    if (one.isBehind()) oracle.violate("no client is stuck", `${one.follower.name} at ${one.position()}`);
    oracle.judgeFollower(one.follower, one.position());
  };
  await untilQuiet(world, ...readers.map(catchUp));
}

const TRIES = 20;
