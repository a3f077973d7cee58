import { answer, connect } from "../../shared/pipeline/socket/socket.ts";
import { EVERYONE, topicTag, userTag } from "../../shared/protocol/tag.ts";
import { memoryTokens } from "../../testing/memory/tokens.ts";
import type { Simulation } from "../world/world.ts";
import { cutAtMaxAge, maySlowDown } from "./client.ts";
import { identityOf } from "./people.ts";

/** Connections that are there before the first message, written without delay and faults. */
export async function settleIn(world: Simulation, count: number): Promise<void> {
  const { gateway, tables, oracle, dice, topics, settings, scheduler } = world;
  const deps = {
    ...tables,
    policy: settings.sockets,
    clock: { now: scheduler.now, pause: scheduler.sleep },
    random: () => dice.next(),
    frameLimit: () => undefined,
    tokens: memoryTokens(),
    telemetry: { count: () => {}, observe: () => {}, warn: () => {} },
  };
  for (let i = 0; i < count; i++) {
    const identity = identityOf(world);
    const socket = gateway.connect(identity.sub);
    const { connectionId, connectedAt } = socket;
    await connect(deps, { connectionId, connectedAt }, identity);
    const some = topics.filter(() => topics.length === 1 || dice.chance(0.6));
    if (some.length > 0) {
      const reply = await answer(deps, connectionId, JSON.stringify({ type: "subscribe", topics: some }));
      if (reply.type !== "subscribed") oracle.violate("a live connection is known", JSON.stringify(reply));
    }
    gateway.open(socket);
    maySlowDown(world, socket);
    for (const tag of [EVERYONE, userTag(identity.sub), ...identity.tags, ...some.map(topicTag)]) {
      socket.tags.set(tag, "yes");
    }
    void cutAtMaxAge(world, socket);
  }
}
