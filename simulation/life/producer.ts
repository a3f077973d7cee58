import type { Identity } from "../../shared/domain/grant.ts";
import { PRIORITIES } from "../../shared/domain/lane.ts";
import type { MessageId } from "../../shared/domain/message.ts";
import { type Tag, topicTag, type UserId, userTag } from "../../shared/domain/tag.ts";
import type { Target } from "../../shared/domain/target.ts";
import { type Item, ingest } from "../../shared/pipeline/ingest.ts";
import { cancelMessage } from "../../shared/pipeline/receipts.ts";
import { lifeSeconds } from "../../shared/settings.ts";
import type { Dice } from "../world/dice.ts";
import type { World } from "../world/world.ts";
import { LABELS, TOKEN_EXPIRY, USERS } from "./people.ts";

const PRODUCER: Identity = {
  sub: "shop" as UserId,
  tags: [],
  subscribe: [],
  publish: ["*"],
  admin: false,
  exp: TOKEN_EXPIRY,
};

/** A message as it will be posted, perhaps more than once. */
export interface Plan {
  readonly id: MessageId;
  readonly target: Target;
  readonly priority: (typeof PRIORITIES)[number];
  readonly dedupeSeconds: number;
  readonly delaySeconds?: number;
  readonly ttlSeconds?: number;
}

/** Posts some messages in one request, posts some again, and cancels some. */
export async function liveAsProducer(world: World, number: number, count: number) {
  const { scheduler, dice, faults, opening, closing } = world;
  await scheduler.sleep(dice.whole(0, Math.max(0, (closing - opening) * 0.7)));
  const plans = Array.from({ length: count }, (_, i) => planOf(world, number + i));
  const cancels = plans
    .filter(() => faults.strikes("producer-cancel"))
    .map((plan) => cancelSometime(world, plan));
  await post(world, plans);
  const again = plans.filter(() => faults.strikes("producer-repeat"));
  for (const plan of again) {
    await scheduler.sleep(dice.among([dice.whole(0, 2_000), plan.dedupeSeconds * dice.whole(500, 1_500)]));
    await post(world, [plan]);
  }
  await Promise.all(cancels);
}

function planOf(world: World, number: number): Plan {
  const { dice, faults } = world;
  const delaySeconds = dice.chance(0.1) ? dice.whole(1, 60) : 0;
  return {
    id: `m${number}` as MessageId,
    target: targetOf(world),
    priority: dice.among(PRIORITIES),
    dedupeSeconds: dice.among([1, 20, 300]),
    ...(delaySeconds > 0 ? { delaySeconds } : {}),
    ...(faults.strikes("producer-deadline")
      ? { ttlSeconds: delaySeconds + dice.among([dice.whole(1, 20), dice.whole(1, 300)]) }
      : {}),
  };
}

function targetOf({ dice, gateway, topics }: World): Target {
  const some = gateway.sockets.filter(({ state }) => state === "open");
  if (topics.length === 1) return { topic: dice.among(topics) };
  switch (dice.whole(0, 5)) {
    case 0:
      return some.length > 0 ? { connection: dice.among(some).connectionId } : { user: dice.among(USERS) };
    case 1:
      return { user: dice.among(USERS) };
    case 2:
    case 3:
      return { topic: dice.among(topics) };
    case 4:
      return { everyone: true };
    default:
      return { tags: expressionOf(dice, [...topics.map(topicTag), ...LABELS, ...USERS.map(userTag)]) };
  }
}

function expressionOf(dice: Dice, tags: readonly Tag[]) {
  const some = (most: number) => Array.from({ length: dice.whole(0, most) }, () => dice.among(tags));
  const [all, any, none] = [some(2), some(3), some(1)];
  const named = { ...(all[0] ? { all } : {}), ...(any[0] ? { any } : {}), ...(none[0] ? { none } : {}) };
  return Object.keys(named).length > 0 ? named : { all: [dice.among(tags)] };
}

/** Posts until it is accepted or the producer gives up. A failed answer does not say that nothing was queued. */
export async function post(world: World, plans: readonly Plan[]): Promise<void> {
  const { scheduler, dice, witness, invoke } = world;
  let left = plans;
  for (let attempt = 0; attempt < 4 && left.length > 0; attempt++) {
    const tries = left.map((plan) => ({ plan, letter: witness.posts({ ...plan, producer: PRODUCER.sub }) }));
    const bodies = tries.map(({ plan, letter }) => ({ ...plan, data: { number: letter.number } }));
    const end = await invoke(`POST ${left.map(({ id }) => id).join(", ")}`, (ports) =>
      ingest(
        { ...ports, backlog: world.backlog, lifeSeconds: lifeSeconds(world.settings) },
        PRODUCER,
        bodies.length === 1 ? bodies[0] : bodies,
      ),
    );
    const items = end.kind === "returned" && end.value.ok ? [end.value.value].flat() : [];
    const refused = (item: Item | undefined) => item?.state !== "queued";
    for (const [i, { letter }] of tries.entries()) {
      if (refused(items[i])) continue;
      letter.accepted = true;
      if (!letter.message) witness.violate("202 means durable", letter.id);
    }
    left = left.filter((_, i) => refused(items[i]));
    await scheduler.sleep(dice.whole(100, 5_000));
  }
}

async function cancelSometime(world: World, { id }: Plan): Promise<void> {
  const { scheduler, dice } = world;
  await scheduler.sleep(dice.among([dice.whole(0, 500), dice.whole(0, 10_000), dice.whole(0, 200_000)]));
  await cancel(world, id);
}

export async function cancel({ witness, invoke }: World, id: MessageId): Promise<void> {
  const end = await invoke(`DELETE ${id}`, (ports) => cancelMessage(ports, PRODUCER, { id }));
  if (end.kind === "returned" && end.value.ok) witness.cancelled(PRODUCER.sub, id);
}
