import { type ConnectionRow, rowExpiresAt } from "../../connections/connection.ts";
import { UnlistedError } from "../../connections/unlisted-error.ts";
import type { Clock, Connections, Subscriptions } from "../../ports.ts";
import { accept, type Refusal, type Result, refuse, TagwireError } from "../../protocol/errors.ts";
import {
  type ClientFrame,
  errorFrame,
  parseFrame,
  type Ref,
  refOf,
  type ServerFrame,
} from "../../protocol/frame.ts";
import type { Identity } from "../../protocol/grant.ts";
import { CONNECTION_TAGS } from "../../protocol/limits.ts";
import { parse } from "../../protocol/parse.ts";
import { OWN_STREAM } from "../../protocol/stream-frame.ts";
import { type ConnectionId, EVERYONE, Topic, topicTag, type UserId, userTag } from "../../protocol/tag.ts";
import type { ConnectionPolicy } from "../../settings/policy.ts";
import { type ChangeEnding, type ChangeTagsDeps, changeTags } from "./change-tags.ts";
import { listedUntil } from "./follow-row.ts";
import type { FrameLimit } from "./frame-limit.ts";
import { checkNamed, history, type Named } from "./history.ts";
import { type RefreshTokenDeps, refreshToken } from "./refresh-token.ts";
import { GONE, TOKEN_ENDED, TOO_MANY_TAGS, tooMany } from "./refusal.ts";
import { removeConnection } from "./remove-connection.ts";
import { standing } from "./standing.ts";
import { type ResumeDeps, resume, resumeOf, within } from "./subscribe.ts";
import { type TakeBackDeps, takeBack } from "./take-back.ts";

export interface SocketDeps extends TakeBackDeps {
  readonly connections: Connections;
  readonly subscriptions: Subscriptions;
  readonly clock: Pick<Clock, "now" | "pause">;
  readonly policy: ConnectionPolicy;
}

export type AnswerDeps = Pick<SocketDeps, "telemetry"> &
  ChangeTagsDeps &
  RefreshTokenDeps &
  ResumeDeps & { readonly frameLimit: FrameLimit };

/** A socket as API Gateway names it. `connectedAt` is in milliseconds. */
export interface Socket {
  readonly connectionId: ConnectionId;
  readonly connectedAt: number;
}

/**
 * Writes the rows of a new connection; once this returns it can be reached by user, tag and everyone. The row comes
 * first, so that a run that finds one of its list rows finds the others. Takes back what it wrote if it fails.
 */
export async function connect(
  deps: SocketDeps,
  socket: Socket,
  { sub, tags, subscribe, exp }: Identity,
): Promise<Result<undefined>> {
  const held = [...new Set([EVERYONE, userTag(sub), ...tags])];
  if (held.length > CONNECTION_TAGS) return TOO_MANY_TAGS;
  const tokenExpiresAt = exp * 1000;
  if (tokenExpiresAt <= deps.clock.now()) return TOKEN_ENDED;
  const expiresAt = rowExpiresAt({ ...socket, tokenExpiresAt }, deps.policy);
  const connection = { ...socket, user: sub, tags: held, subscribe, expiresAt, tokenExpiresAt };
  /** Tags whose lists may have a row. */
  let listed: typeof held = [];
  try {
    await deps.connections.put(connection);
    listed = held;
    await deps.subscriptions.add(held, socket, listedUntil(connection));
  } catch (fault) {
    const unlisted = fault instanceof UnlistedError ? fault.tags : [];
    await takeBack(
      deps,
      socket,
      listed.filter((tag) => !unlisted.includes(tag)),
    );
    throw fault;
  }
  deps.telemetry.count("ConnectionsOpened");
  return accept(undefined);
}

/** Deletes the rows of a closed connection, and returns whose it was if they were there. API Gateway may never call it. */
export async function disconnect(deps: SocketDeps, socket: Socket): Promise<UserId | undefined> {
  const row = await removeConnection(deps, socket);
  deps.telemetry.count("ConnectionsClosed");
  return row?.user;
}

/** Answers one frame. A bad one is answered too; the socket stays open. */
export async function answer(
  deps: AnswerDeps,
  connectionId: ConnectionId,
  text: string,
): Promise<ServerFrame> {
  const retryAfter = deps.frameLimit(connectionId);
  if (retryAfter !== undefined) return failure(deps, tooMany("frames", retryAfter).refusal, refOf(text));
  const frame = parseFrame(text);
  if (!frame.ok) return failure(deps, frame.refusal, refOf(text));
  const { type, ref } = frame.value;
  const row = await look(deps, connectionId, type);
  if (!row.ok) return failure(deps, row.refusal, ref);
  if (row.value === undefined) return { type: "pong", connection: connectionId, ...echo(ref) };
  const answered = await answerTo(deps, row.value, frame.value);
  return answered.ok ? { ...answered.value, ...echo(ref) } : failure(deps, answered.refusal, ref);
}

/** The answer to a frame, without its `ref`. */
async function answerTo(
  deps: AnswerDeps,
  row: ConnectionRow,
  frame: ClientFrame,
): Promise<Result<ServerFrame>> {
  switch (frame.type) {
    case "ping": {
      const found = await standing(deps, row, Object.keys(frame.positions ?? {}));
      return found.ok ? accept({ type: "pong", connection: row.connectionId, ...found.value }) : found;
    }
    case "history": {
      const found = within(deps, row, 1) ?? (await history(deps, row, frame));
      return found.ok ? accept({ type: "history", ...found.value }) : found;
    }
    case "token":
      return refresh(deps, row, frame.token);
    default:
      return change(deps, row, frame);
  }
}

/** The connection's row, if its frames may be answered. A ping is answered even if the table cannot be. */
async function look(
  { connections, clock }: AnswerDeps,
  connectionId: ConnectionId,
  type: ClientFrame["type"],
): Promise<Result<ConnectionRow | undefined>> {
  const now = clock.now();
  try {
    const row = await connections.read(connectionId, now);
    if (!row) return refuse("CONNECTION_UNKNOWN", "this connection has no row any more; connect again");
    return row.tokenExpiresAt > now ? accept(row) : TOKEN_ENDED;
  } catch (fault) {
    if (type === "ping" && fault instanceof TagwireError) return accept(undefined);
    throw fault;
  }
}

async function refresh(deps: AnswerDeps, row: ConnectionRow, token: string): Promise<Result<ServerFrame>> {
  const refreshed = await refreshToken(deps, row, token);
  if (!refreshed.ok) return refreshed;
  const { tokenExpiresAt, removed } = refreshed.value;
  return accept({ type: "token", expiresAt: new Date(tokenExpiresAt).toISOString(), removed });
}

async function change(
  deps: AnswerDeps,
  row: ConnectionRow,
  frame: Extract<ClientFrame, { type: "subscribe" | "unsubscribe" }>,
): Promise<Result<ServerFrame>> {
  const { type, topics, ref } = frame;
  const verb = type === "subscribe" ? "add" : "remove";
  const checked = [...new Set(topics)].map((name) => ({ name, result: checkTopic(row, verb, name) }));
  const good = checked.flatMap(({ result }) => (result.ok ? [result.value] : []));
  const refused = checked.flatMap(({ name, result }) =>
    result.ok ? [] : [{ topic: name, code: result.refusal.code, detail: result.refusal.detail }],
  );
  const wanted = type === "subscribe" ? resumeOf(deps, row, frame, good) : accept([]);
  if (!wanted.ok) return wanted;
  // Every connection has the tag of its user.
  const tags = good.flatMap((name) => (name === OWN_STREAM ? [] : [topicTag(name)]));
  if (tags.length > 0) {
    const ending = await changeTags(deps, row, verb, tags);
    if (ending.kind !== "done") return { ok: false, refusal: refusalOf(ending) };
  }
  deps.telemetry.count(type === "subscribe" ? "Subscribed" : "Unsubscribed", tags.length);
  const named = { topics: good, ...(refused.length > 0 ? { refused } : {}) };
  if (type === "unsubscribe") return accept({ type: "unsubscribed", ...named });
  const reply = { type: "subscribed", ...named } as const;
  return accept({ ...reply, ...(await resume(deps, wanted.value, { ...reply, ...echo(ref) })) });
}

/** Whether a frame may add or remove a topic. Any topic may be removed. */
const checkTopic = (row: ConnectionRow, verb: "add" | "remove", name: string): Result<Named> =>
  verb === "add" ? checkNamed(row, name) : parse(Topic, name, "TOPIC_INVALID");

function refusalOf(ending: Exclude<ChangeEnding, { kind: "done" }>): Refusal {
  switch (ending.kind) {
    case "superseded": {
      const topics = ending.tags.map((tag) => tag.slice(tag.indexOf(":") + 1));
      return refuse("SUPERSEDED", `another frame of this socket changed ${topics.join(", ")} meanwhile`)
        .refusal;
    }
    case "gone":
      return GONE.refusal;
    case "full":
      return TOO_MANY_TAGS.refusal;
    case "over-budget":
      return tooMany("changes of topics", ending.retryAfter).refusal;
  }
}

function failure(deps: Pick<SocketDeps, "telemetry">, refusal: Refusal, ref: Ref | undefined): ServerFrame {
  deps.telemetry.count("FramesRefused");
  return errorFrame(refusal, ref);
}

const echo = (ref: Ref | undefined): { ref?: Ref } => (ref === undefined ? {} : { ref });
