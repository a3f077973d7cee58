import type { MessageId } from "../../shared/protocol/message.ts";
import { EVERYONE, type Tag, topicTag, type UserId, userTag } from "../../shared/protocol/tag.ts";
import { CROWD } from "../settings.ts";
import type { Socket } from "../world/gateway.ts";
import type { Simulation } from "../world/world.ts";
import { LABELS, PRODUCERS, USERS } from "./people.ts";
import { post } from "./producer.ts";
import { isBroken, untilQuiet } from "./quiet.ts";

const [SHOP = "shop" as UserId] = PRODUCERS;

/** Without faults every list is posted to once: who is alive gets it, and what the dead have left goes. */
export async function heal(world: Simulation): Promise<void> {
  const { faults, gateway, oracle } = world;
  if (isBroken(world)) return;
  faults.calm();
  world.outages.calm();
  for (const socket of gateway.sockets) delete socket.slow;
  const closed = new Set(gateway.sockets.filter(({ state }) => state === "closed"));
  const lists = listsOf(world);
  const plans = lists.map((tag, i) => ({
    id: `probe-${i}` as MessageId,
    target: tag === EVERYONE ? { everyone: true as const } : { tags: { all: [tag] } },
    priority: "high" as const,
    dedupeSeconds: 0,
    producer: SHOP,
    content: {},
  }));
  await untilQuiet(world, post(world, plans));
  for (const { id, receipt } of oracle.book.records.slice(-plans.length)) {
    if (receipt?.state !== "delivered" && receipt?.state !== "no-recipients") {
      oracle.violate("without faults everything is delivered", `${id} is ${receipt?.state}`);
    }
  }
  checkIndex(world, closed, new Set(lists));
}

/** A crowd's users and labels would be posted to for nothing new. */
function listsOf({ topics, gateway }: Simulation): Tag[] {
  const lists = [EVERYONE, ...topics.map(topicTag)];
  return gateway.sockets.length > CROWD ? lists : [...lists, ...USERS.map(userTag), ...LABELS];
}

function checkIndex(world: Simulation, closed: ReadonlySet<Socket>, lists: ReadonlySet<Tag>): void {
  const { tables, gateway, oracle, scheduler } = world;
  const name = (of: Pick<Socket, "connectionId" | "connectedAt">) => `${of.connectionId} ${of.connectedAt}`;
  const sockets = new Map(gateway.sockets.map((socket) => [name(socket), socket]));
  for (const row of tables.subscriptions.rows()) {
    if (!lists.has(row.tag)) continue;
    const socket = sockets.get(name(row));
    const where = `${row.connectionId} still stands in ${row.tag}`;
    if (socket?.state === "open") {
      if (!socket.tags.has(row.tag)) oracle.violate("what was unsubscribed is gone", where);
    } else if (!socket || (closed.has(socket) && row.expiresAt > scheduler.now())) {
      // A list cannot tell that the id has gone to somebody else; such a row stays until it expires.
      if (gateway.at(row.connectionId) === socket) oracle.violate("no row outlives its socket", where);
    }
  }
}
