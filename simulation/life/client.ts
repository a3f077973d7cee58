import { answer, connect, disconnect } from "../../shared/pipeline/socket/socket.ts";
import type { Identity } from "../../shared/protocol/grant.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import { EVERYONE, type Topic, topicTag, type UserId, userTag } from "../../shared/protocol/tag.ts";
import { keepsStreams } from "../../shared/streams/kept.ts";
import { memoryTokens } from "../../testing/memory/tokens.ts";
import { CROWD } from "../settings.ts";
import type { Socket } from "../world/gateway.ts";
import { LATE_ARRIVAL } from "../world/network.ts";
import type { Simulation } from "../world/world.ts";
import { identityOf } from "./people.ts";
import { post } from "./producer.ts";

const VERBS = ["subscribe", "unsubscribe"] as const;

/** A life of one client: it connects, subscribes, leaves and comes back, until the world closes. */
export async function liveAsClient(world: Simulation, first?: Socket): Promise<void> {
  const { scheduler, dice, topics, closing } = world;
  if (!first) await scheduler.sleep(dice.whole(0, 30_000));
  for (let there = first; scheduler.now() < closing; there = undefined) {
    const socket = there ?? (await join(world));
    if (socket) {
      const some = there ? [] : topics.filter(() => dice.chance(0.7));
      await ask(world, socket, "subscribe", some);
      await stay(world, socket);
      if (dice.chance(0.4)) return;
      await leave(world, socket);
    }
    await scheduler.sleep(dice.whole(100, 60_000));
  }
}

async function stay(world: Simulation, socket: Socket): Promise<void> {
  const { scheduler, dice, topics, closing, faults } = world;
  while (socket.state === "open" && scheduler.now() < closing) {
    await scheduler.sleep(dice.whole(100, 60_000));
    if (dice.chance(0.3)) return;
    const one = dice.pick(topics);
    if (faults.strikes("frames-aside")) {
      await askAside(world, socket, one);
      continue;
    }
    const asked = ask(world, socket, dice.chance(0.6) ? "subscribe" : "unsubscribe", [one]);
    // A client may ask for more before it is answered, or leave.
    if (dice.chance(0.2)) {
      const others = topics.filter((topic) => topic !== one && dice.chance(0.5));
      await ask(world, socket, "subscribe", others);
    }
    if (dice.chance(0.1)) {
      await scheduler.sleep(dice.whole(0, 100));
      return;
    }
    await asked;
  }
}

/** Opens a socket; undefined where `$connect` failed, since the gateway then refuses it. */
export async function join(world: Simulation, known?: Identity): Promise<Socket | undefined> {
  const { gateway, oracle, trace, settings, invoke, scheduler, dice, faults } = world;
  if (!gateway.admits()) return undefined;
  const identity = known ?? identityOf(world);
  // With an old id a reader would get the numbers of another user's stream, and cannot tell.
  const socket = gateway.connect(identity.sub, known !== undefined);
  const held = [EVERYONE, userTag(identity.sub), ...identity.tags];
  for (const tag of held) socket.tags.set(tag, "maybe");
  oracle.changed(socket);
  const end = await invoke(`connect ${socket.connectionId}`, (ports) =>
    connect({ ...ports, policy: settings.sockets }, nameOf(socket), identity),
  );
  if (end.kind !== "returned") {
    gateway.close(socket);
    return undefined;
  }
  if (faults.strikes("connect-slow")) await scheduler.sleep(dice.whole(100, 5_000));
  gateway.open(socket);
  maySlowDown(world, socket);
  for (const tag of held) socket.tags.set(tag, "yes");
  oracle.changed(socket);
  trace.note(socket.connectionId, "is open", () => held.join(", "));
  void cutAtMaxAge(world, socket);
  return socket;
}

/** A client stops reading for a while. */
export function maySlowDown({ faults, dice, scheduler }: Simulation, socket: Socket): void {
  if (!faults.strikes("client-slow")) return;
  const until = scheduler.now() + dice.pick([dice.whole(1_000, 30_000), dice.whole(10_000, 600_000)]);
  socket.slow = { how: dice.pick(["full", "hangs"]), until };
}

/** API Gateway cuts every socket at its maximum age. Here it never says so. */
export async function cutAtMaxAge({ scheduler, gateway, oracle, settings }: Simulation, socket: Socket) {
  await scheduler.sleep(settings.sockets.maxAgeSeconds * 1000);
  gateway.close(socket);
  oracle.changed(socket);
}

async function ask(
  world: Simulation,
  socket: Socket,
  type: "subscribe" | "unsubscribe",
  topics: readonly Topic[],
): Promise<void> {
  if (topics.length === 0 || isClosed(socket)) return;
  const { oracle, scheduler, dice, gateway } = world;
  const tags = topics.map(topicTag);
  const greets = type === "subscribe" && gateway.sockets.length <= CROWD && dice.chance(0.1);
  const greeted = greets ? dice.pick(topics) : undefined;
  if (greeted) await greet(world, greeted);
  while (!gateway.admits()) await scheduler.sleep(dice.whole(100, 1_000));
  if (isClosed(socket)) return;
  for (const tag of tags) {
    if (type === "unsubscribe" || !socket.tags.has(tag)) socket.tags.set(tag, "maybe");
  }
  oracle.changed(socket);
  const end = await say(world, socket, { type, topics });
  if (isClosed(socket)) return;
  if (end.kind !== "returned") {
    // What the dead run sent off may still land; no client asks again that fast.
    await scheduler.sleep(2 * LATE_ARRIVAL);
    return;
  }
  // Another frame of this client undid it: the topics stay as that one says.
  if (end.value.type === "error" && end.value.code === "SUPERSEDED") return;
  if (end.value.type === "error") {
    return oracle.violate("a live connection is known", `${socket.connectionId}: ${end.value.detail}`);
  }
  for (const tag of tags) {
    if (type === "subscribe") socket.tags.set(tag, "yes");
    else socket.tags.delete(tag);
  }
  oracle.changed(socket);
  if (greeted) await greet(world, greeted);
}

/** Sends a frame, and resolves with the reply. */
export const say = (
  world: Simulation,
  { connectionId }: Socket,
  frame: { readonly type: string; readonly [field: string]: unknown },
) =>
  world.invoke(`${frame.type} ${connectionId}`, ({ streams, ...ports }) => {
    const { settings, bugs } = world;
    const { clock, random } = ports;
    const kept = bugs?.kept?.(settings) ?? settings;
    const reads = keepsStreams(settings) ? { reads: { streams, clock, random, settings: kept } } : {};
    const policy = settings.sockets;
    const deps = { ...ports, ...reads, policy, frameLimit: () => undefined, tokens: memoryTokens() };
    return answer(deps, connectionId, JSON.stringify(frame));
  });

/**
 * Asks for a topic and against it at once: the gateway may run the two frames side by side. After both replies the list
 * has a row exactly if the connection's row has the tag, and a reply that says it was not superseded is borne out.
 */
async function askAside(world: Simulation, socket: Socket, topic: Topic): Promise<void> {
  const { oracle, scheduler, tables, gateway } = world;
  while (!gateway.admits()) await scheduler.sleep(1_000);
  if (isClosed(socket)) return;
  const tag = topicTag(topic);
  socket.tags.set(tag, "maybe");
  oracle.changed(socket);
  const ends = await Promise.all(VERBS.map((type) => say(world, socket, { type, topics: [topic] })));
  const replies = ends.flatMap((end) => (end.kind === "returned" ? [end.value] : []));
  if (replies.length < ends.length) await scheduler.sleep(2 * LATE_ARRIVAL);
  const row = await tables.connections.find(socket.connectionId, scheduler.now());
  if (isClosed(socket) || replies.length < ends.length) return;
  const held = row?.tags.includes(tag) ?? false;
  const listed = tables.subscriptions
    .rows()
    .some(({ tag: list, connectionId }) => list === tag && connectionId === socket.connectionId);
  const said = replies.flatMap(({ type }) =>
    type === "subscribed" || type === "unsubscribed" ? [type] : [],
  );
  const what = `${socket.connectionId} and ${tag}: said ${said}, row ${held}, list ${listed}`;
  if (held !== listed) oracle.violate("after both replies list and row agree", what);
  const [only, ...others] = said;
  if (only && others.length === 0 && held !== (only === "subscribed")) {
    oracle.violate("a reply is borne out by the row", what);
  }
  if (held) socket.tags.set(tag, "yes");
  else socket.tags.delete(tag);
  oracle.changed(socket);
}

const isClosed = ({ state }: Socket): boolean => state === "closed";

/** Posted right before and after a subscribe: a client that has read `subscribed` gets the second. */
async function greet(world: Simulation, topic: Topic): Promise<void> {
  const id = `greeting-${world.oracle.book.records.length}` as MessageId;
  const plan = { id, target: { topic }, priority: "high", dedupeSeconds: 300, content: {} } as const;
  await post(world, [{ ...plan, producer: "shop" as UserId }]);
}

/** Closes a socket. `$disconnect` comes, late or twice or never. */
export async function leave(world: Simulation, socket: Socket): Promise<void> {
  const { gateway, oracle, faults, scheduler, dice, settings, trace, invoke } = world;
  if (socket.state === "closed") return;
  gateway.close(socket);
  oracle.changed(socket);
  trace.note(socket.connectionId, "is closed");
  if (faults.strikes("disconnect-lost")) return;
  const times = faults.strikes("disconnect-doubled") ? 2 : 1;
  for (let time = 0; time < times; time++) {
    if (faults.strikes("disconnect-late")) await scheduler.sleep(dice.whole(0, 120_000));
    await invoke(`disconnect ${socket.connectionId}`, (ports) =>
      disconnect({ ...ports, policy: settings.sockets }, nameOf(socket)),
    );
  }
}

const nameOf = ({ connectionId, connectedAt }: Socket) => ({ connectionId, connectedAt });
