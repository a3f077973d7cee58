import { type Refusal, refuse } from "../domain/errors.ts";
import {
  type ClientFrame,
  errorFrame,
  parseFrame,
  type Ref,
  refOf,
  type ServerFrame,
} from "../domain/frame.ts";
import { type Identity, maySubscribe } from "../domain/grant.ts";
import { CONNECTION_TAGS } from "../domain/limits.ts";
import type { SocketPolicy } from "../domain/policy.ts";
import { type ConnectionId, EVERYONE, topicTag, userTag } from "../domain/tag.ts";
import type { Clock, Connection, Connections, Subscriptions, Telemetry } from "../ports.ts";
import { forget } from "./forget.ts";

export interface SocketDeps {
  readonly connections: Connections;
  readonly subscriptions: Subscriptions;
  readonly clock: Pick<Clock, "now">;
  readonly policy: Pick<SocketPolicy, "maxAge" | "rowMargin">;
  readonly telemetry: Telemetry;
}

/** A socket as API Gateway names it. `connectedAt` is in milliseconds. */
export interface Socket {
  readonly connectionId: ConnectionId;
  readonly connectedAt: number;
}

/** Writes the rows of a new connection; once this returns it can be reached by user, tag and everyone. */
export async function connect(
  deps: SocketDeps,
  socket: Socket,
  { sub, tags, subscribe }: Identity,
): Promise<void> {
  const held = [...new Set([EVERYONE, userTag(sub), ...tags])];
  const expiresAt = socket.connectedAt + (deps.policy.maxAge + deps.policy.rowMargin) * 1000;
  await deps.connections.open({ ...socket, user: sub, tags: held, subscribe, expiresAt });
  await deps.subscriptions.add(held, socket, expiresAt);
  deps.telemetry.count("ConnectionsOpened");
}

/** Deletes the rows of a closed connection. API Gateway may never call it. */
export async function disconnect(deps: SocketDeps, socket: Socket): Promise<void> {
  await forget(deps, socket);
  deps.telemetry.count("ConnectionsClosed");
}

/** Answers one frame. A bad one is answered too; the socket stays open. */
export async function answer(
  deps: SocketDeps,
  connectionId: ConnectionId,
  text: string,
): Promise<ServerFrame> {
  const frame = parseFrame(text);
  if (!frame.ok) return failure(deps, frame.refusal, refOf(text));
  const { type, ref } = frame.value;
  if (type === "ping") return { type: "pong", connection: connectionId, ...echo(ref) };
  const connection = await deps.connections.find(connectionId, deps.clock.now());
  if (!connection) {
    return failure(
      deps,
      refuse("CONNECTION_UNKNOWN", "this connection has no row any more; connect again").refusal,
      ref,
    );
  }
  return type === "subscribe"
    ? subscribe(deps, connection, frame.value)
    : unsubscribe(deps, connection, frame.value);
}

/**
 * Row first, lists second, then a look whether the row is still there: whatever `$disconnect` or a 410 meets on
 * the way, either it sees the new tags or this does its work.
 */
async function subscribe(
  deps: SocketDeps,
  connection: Connection,
  { topics, ref }: Extract<ClientFrame, { type: "subscribe" }>,
): Promise<ServerFrame> {
  const refused = topics.filter((topic) => !maySubscribe(connection, topic));
  if (refused.length > 0) {
    return failure(
      deps,
      refuse("TOPIC_FORBIDDEN", `the token does not grant ${refused.join(", ")}`).refusal,
      ref,
    );
  }
  const tags = topics.map(topicTag);
  if (new Set([...connection.tags, ...tags]).size > CONNECTION_TAGS) {
    return failure(
      deps,
      refuse("TOO_MANY_TOPICS", `a connection holds at most ${CONNECTION_TAGS} tags`).refusal,
      ref,
    );
  }
  const held = await deps.connections.hold(connection, tags);
  if (held) await deps.subscriptions.add(tags, connection, connection.expiresAt);
  if (!held || !(await deps.connections.find(connection.connectionId, deps.clock.now()))) {
    await deps.subscriptions.remove(tags, connection);
    return failure(deps, refuse("CONNECTION_UNKNOWN", "this connection was closed meanwhile").refusal, ref);
  }
  deps.telemetry.count("Subscribed", topics.length);
  return { type: "subscribed", topics, ...echo(ref) };
}

/** Lists first, so that a fault in between leaves a tag without a posting and never a posting without a tag. */
async function unsubscribe(
  deps: SocketDeps,
  connection: Connection,
  { topics, ref }: Extract<ClientFrame, { type: "unsubscribe" }>,
): Promise<ServerFrame> {
  const tags = topics.map(topicTag);
  await deps.subscriptions.remove(tags, connection);
  await deps.connections.release(connection, tags);
  deps.telemetry.count("Unsubscribed", topics.length);
  return { type: "unsubscribed", topics, ...echo(ref) };
}

function failure(deps: SocketDeps, refusal: Refusal, ref: Ref | undefined): ServerFrame {
  deps.telemetry.count("FramesRefused");
  return errorFrame(refusal, ref);
}

const echo = (ref: Ref | undefined): { ref?: Ref } => (ref === undefined ? {} : { ref });
