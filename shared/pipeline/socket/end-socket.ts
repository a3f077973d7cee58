import type { Sockets } from "../../ports.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import type { ServerFrame } from "../../protocol/frame.ts";
import type { ConnectionId } from "../../protocol/tag.ts";

export interface EndSocketDeps {
  readonly sockets: Pick<Sockets, "send" | "close">;
}

/** The errors that say of a connection that nothing is delivered to it any more. */
const ENDED: ReadonlySet<ErrorCode> = new Set(["TOKEN_EXPIRED", "CONNECTION_UNKNOWN"]);

/**
 * Closes the socket of a connection that has ended, once its client has the reply that says so: what a function returns
 * reaches no socket that is closed, so the reply is sent here. Nothing in an account wakes when a token ends, so the next
 * frame is when this can happen. Returns the reply that is still to be returned, if any: the client that this could not
 * reach gets it, and its next frame closes the socket.
 */
export async function endSocket(
  { sockets }: EndSocketDeps,
  connectionId: ConnectionId,
  reply: ServerFrame,
): Promise<ServerFrame | undefined> {
  if (reply.type !== "error" || !ENDED.has(reply.code)) return reply;
  const sent = await sockets.send(connectionId, Buffer.from(JSON.stringify(reply)));
  if (sent.kind !== "sent") return sent.kind === "gone" ? undefined : reply;
  await sockets.close(connectionId);
  return undefined;
}
