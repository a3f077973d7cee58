import type { MessageId } from "../../shared/domain/message.ts";
import type { Target } from "../../shared/domain/target.ts";
import { CROWD } from "../settings.ts";
import type { Socket } from "../world/gateway.ts";
import type { World } from "../world/world.ts";
import { LABELS, USERS } from "./people.ts";
import { post } from "./producer.ts";
import { isBroken, untilQuiet } from "./quiet.ts";

/** In calm weather every list is posted to once: who is alive gets it, and what the dead have left goes. */
export async function heal(world: World): Promise<void> {
  const { faults, gateway, witness } = world;
  if (isBroken(world)) return;
  faults.calm();
  const closed = new Set(gateway.sockets.filter(({ state }) => state === "closed"));
  const plans = targetsOf(world).map((target, i) => ({
    id: `probe-${i}` as MessageId,
    target,
    priority: "high" as const,
    dedupeSeconds: 0,
  }));
  await untilQuiet(world, post(world, plans));
  for (const { id, receipt } of witness.book.letters.slice(-plans.length)) {
    if (receipt?.state !== "delivered" && receipt?.state !== "no-recipients") {
      witness.violate("in calm weather everything is delivered", `${id} is ${receipt?.state}`);
    }
  }
  checkIndex(world, closed);
}

function targetsOf({ topics, gateway }: World): Target[] {
  const lists: Target[] = [{ everyone: true }, ...topics.map((topic) => ({ topic }))];
  if (gateway.sockets.length > CROWD) return lists;
  return [...lists, ...USERS.map((user) => ({ user })), ...LABELS.map((tag) => ({ tags: { all: [tag] } }))];
}

function checkIndex(world: World, closed: ReadonlySet<Socket>): void {
  const { tables, gateway, witness, scheduler } = world;
  const name = (of: Pick<Socket, "connectionId" | "connectedAt">) => `${of.connectionId} ${of.connectedAt}`;
  const sockets = new Map(gateway.sockets.map((socket) => [name(socket), socket]));
  for (const row of tables.subscriptions.rows()) {
    const socket = sockets.get(name(row));
    const where = `${row.connectionId} still stands in ${row.tag}`;
    if (socket?.state === "open") {
      if (!socket.tags.has(row.tag)) witness.violate("what was unsubscribed is gone", where);
    } else if (!socket || (closed.has(socket) && row.expiresAt > scheduler.now())) {
      // A list cannot tell that the id has gone to somebody else; such a row stays until it expires.
      if (gateway.at(row.connectionId) === socket) witness.violate("no row outlives its socket", where);
    }
  }
}
