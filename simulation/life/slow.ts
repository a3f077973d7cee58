import type { MessageId } from "../../shared/protocol/message.ts";
import type { Simulation } from "../world/world.ts";
import { planOf, post } from "./producer.ts";

/** Milliseconds between two messages. */
const APART = 500;

/** Messages to everyone at a steady rate, while some clients never read. */
export async function besideSlowClients(world: Simulation, messages: number): Promise<void> {
  const { gateway, scheduler, dice, scenario } = world;
  const how = dice.pick(["full", "hangs"] as const);
  for (const socket of gateway.sockets.slice(0, scenario.slow)) {
    socket.slow = { how, until: Number.POSITIVE_INFINITY };
  }
  const posting: Promise<void>[] = [];
  for (let number = 0; number < messages; number++) {
    const { delaySeconds: _, ttlSeconds: __, ...plan } = planOf(world, number);
    const id = `m${number}` as MessageId;
    posting.push(post(world, [{ ...plan, id, target: { everyone: true }, priority: "normal" }]));
    await scheduler.sleep(APART);
  }
  await Promise.all(posting);
}
