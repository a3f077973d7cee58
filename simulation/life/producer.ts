import { ingest } from "../../shared/pipeline/ingest/ingest.ts";
import { cancelMessage } from "../../shared/pipeline/receipts/receipts.ts";
import type { Identity } from "../../shared/protocol/grant.ts";
import type { Item } from "../../shared/protocol/item.ts";
import { PRIORITIES } from "../../shared/protocol/lane.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import { type Tag, topicTag, type UserId, userTag } from "../../shared/protocol/tag.ts";
import type { Target } from "../../shared/protocol/target.ts";
import { lifeSeconds } from "../../shared/settings/derived.ts";
import type { PostedMessage } from "../oracle/message-record.ts";
import type { Dice } from "../world/dice.ts";
import type { Simulation } from "../world/world.ts";
import { LABELS, PRODUCERS, TOKEN_EXPIRY, USERS } from "./people.ts";

const identityOf = (sub: UserId): Identity => ({
  sub,
  tags: [],
  subscribe: [],
  publish: ["*"],
  admin: false,
  exp: TOKEN_EXPIRY,
});

/** A message as it will be posted, perhaps more than once. */
export type PlannedPost = PostedMessage;

/** Posts some messages in one request, posts some again, and cancels some. */
export async function liveAsProducer(world: Simulation, number: number, count: number): Promise<void> {
  const { scheduler, dice, faults, opening, closing } = world;
  await scheduler.sleep(dice.whole(0, Math.max(0, (closing - opening) * 0.7)));
  const plans = Array.from({ length: count }, (_, i) => planOf(world, number + i));
  const cancels = plans
    .filter(() => faults.strikes("producer-cancel"))
    .map((plan) => cancelSometime(world, plan));
  await post(world, plans);
  const again = plans.filter(() => faults.strikes("producer-repeat"));
  for (const plan of again) {
    await scheduler.sleep(dice.pick([dice.whole(0, 2_000), plan.dedupeSeconds * dice.whole(500, 1_500)]));
    await post(world, [plan]);
  }
  const [, other] = PRODUCERS;
  for (const { id } of plans) {
    if (other && faults.strikes("producer-namesake")) {
      await post(world, [{ ...planOf(world, number), id, producer: other }]);
    }
  }
  await Promise.all(cancels);
}

/** What an encoding may harm. */
const TEXTS = ["", "é \u{1F600}", "\u0000\u2028</script>", '{"quoted":"\\"}'];

export function planOf(world: Simulation, number: number): PlannedPost {
  const { dice, faults } = world;
  const delaySeconds = dice.chance(0.1) ? dice.whole(1, 60) : 0;
  const text = dice.pick(TEXTS);
  return {
    id: `m${number}` as MessageId,
    producer: PRODUCERS[0] ?? ("shop" as UserId),
    target: targetOf(world),
    ...(dice.chance(0.5) ? { event: dice.pick(["order.shipped", "é", '"']) } : {}),
    priority: dice.pick(PRIORITIES),
    dedupeSeconds: dice.pick([1, 20, 300]),
    content: {
      ...(text === "" ? {} : { text }),
      ...(faults.strikes("producer-poison") ? { poison: true } : {}),
    },
    ...(delaySeconds > 0 ? { delaySeconds } : {}),
    ...(faults.strikes("producer-deadline")
      ? { ttlSeconds: delaySeconds + dice.pick([dice.whole(1, 20), dice.whole(1, 300)]) }
      : {}),
  };
}

function targetOf({ dice, gateway, topics }: Simulation): Target {
  const some = gateway.sockets.filter(({ state }) => state === "open");
  if (topics.length === 1) return { topic: dice.pick(topics) };
  switch (dice.whole(0, 5)) {
    case 0:
      return some.length > 0 ? { connection: dice.pick(some).connectionId } : { user: dice.pick(USERS) };
    case 1:
      return { user: dice.pick(USERS) };
    case 2:
    case 3:
      return { topic: dice.pick(topics) };
    case 4:
      return { everyone: true };
    default:
      return { tags: expressionOf(dice, [...topics.map(topicTag), ...LABELS, ...USERS.map(userTag)]) };
  }
}

function expressionOf(dice: Dice, tags: readonly Tag[]) {
  const some = (most: number) => Array.from({ length: dice.whole(0, most) }, () => dice.pick(tags));
  const [all, any, none] = [some(2), some(3), some(1)];
  const named = { ...(all[0] ? { all } : {}), ...(any[0] ? { any } : {}), ...(none[0] ? { none } : {}) };
  return Object.keys(named).length > 0 ? named : { all: [dice.pick(tags)] };
}

/** Posts until it is accepted or the producer gives up. A failed answer does not say that nothing was queued. */
export async function post(world: Simulation, plans: readonly PlannedPost[]): Promise<void> {
  const { scheduler, dice, oracle, invoke, gateway } = world;
  const producer = plans[0]?.producer;
  let left = plans;
  for (let attempt = 0; producer && attempt < 4 && left.length > 0; attempt++) {
    while (!gateway.admits()) await scheduler.sleep(dice.whole(100, 1_000));
    const tries = left.map((plan) => ({ plan, record: oracle.posts(plan) }));
    const bodies = tries.map(({ plan: { producer: _, content, ...body }, record }) => ({
      ...body,
      data: { number: record.number, ...content },
    }));
    const end = await invoke(`POST ${left.map(({ id }) => id).join(", ")}`, (ports) =>
      ingest(
        {
          ...ports,
          backlog: world.backlog,
          lifeSeconds: lifeSeconds(world.settings),
          streams: world.settings,
        },
        identityOf(producer),
        bodies.length === 1 ? bodies[0] : bodies,
      ),
    );
    const items = end.kind === "returned" && end.value.ok ? [end.value.value].flat() : [];
    const refused = (item: Item | undefined) => item?.state !== "queued";
    for (const [i, { record }] of tries.entries()) {
      if (refused(items[i])) continue;
      record.accepted = true;
      if (!record.message) oracle.violate("202 means durable", record.id);
    }
    left = left.filter((_, i) => refused(items[i]));
    await scheduler.sleep(dice.whole(100, 5_000));
  }
}

export async function cancelSometime(world: Simulation, plan: PlannedPost): Promise<void> {
  const { scheduler, dice } = world;
  await scheduler.sleep(dice.pick([dice.whole(0, 500), dice.whole(0, 10_000), dice.whole(0, 200_000)]));
  await cancel(world, plan);
}

export async function cancel(
  { oracle, invoke }: Simulation,
  { id, producer }: Pick<PlannedPost, "id" | "producer">,
) {
  const end = await invoke(`DELETE ${id}`, (ports) => cancelMessage(ports, identityOf(producer), { id }));
  if (end.kind === "returned" && end.value.ok) oracle.cancelled(producer, id);
}
