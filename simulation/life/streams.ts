import { OWN_STREAM } from "../../shared/protocol/stream-frame.ts";
import { topicTag, type UserId } from "../../shared/protocol/tag.ts";
import type { Target } from "../../shared/protocol/target.ts";
import { keepsStreams } from "../../shared/streams/kept.ts";
import type { Reader } from "../world/reader.ts";
import type { Simulation } from "../world/world.ts";
import { cancelSometime, type PlannedPost, planOf, post } from "./producer.ts";
import { isBroken, untilQuiet } from "./quiet.ts";
import { reader } from "./reader.ts";

const SECOND = 1_000;

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
export async function liveAsReader(world: Simulation, one: Reader, until: number): Promise<void> {
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

/**
 * Some messages to one stream, nearly at once and in several lanes: their runs append side by side. Beside them there
 * may be one for the same list that is in no stream.
 */
export async function burst(
  world: Simulation,
  { name, follower } = world.dice.pick(world.readers),
): Promise<void> {
  const { scheduler, dice, faults, oracle } = world;
  const target: Target =
    name === OWN_STREAM ? { user: follower.stream.slice("user:".length) as UserId } : { topic: name };
  const size = dice.pick([1, 1, 2, 5]);
  const apart = dice.pick([0, 50, 1_000]);
  const isLarge = dice.chance(0.15);
  const isBeside = name !== OWN_STREAM && dice.chance(0.4);
  const beside = async () => {
    if (!isBeside) return;
    const id = `e${oracle.book.records.length}` as PlannedPost["id"];
    const { ttlSeconds: _ttl, delaySeconds: _delay, ...plan } = planOf(world, 0);
    await post(world, [{ ...plan, id, priority: "normal", target: { tags: { all: [topicTag(name)] } } }]);
  };
  const posts = Array.from({ length: size }, async (_, i) => {
    await scheduler.sleep(i * apart);
    const { delaySeconds: _delay, ...plan } = planOf(world, 0);
    const id = `s${oracle.book.records.length}` as PlannedPost["id"];
    const content = isLarge ? { ...plan.content, text: LARGE } : plan.content;
    const planned = { ...plan, id, target, content, ...(isBeside ? { priority: "normal" as const } : {}) };
    const cancels = faults.strikes("producer-cancel") ? cancelSometime(world, planned) : undefined;
    await post(world, [planned]);
    await cancels;
  });
  await Promise.all([beside(), ...posts]);
}

/** A few of them do not fit one reply. */
const LARGE = "x".repeat(45_000);

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
