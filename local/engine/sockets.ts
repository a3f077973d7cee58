import type { CloseResult, GatewayState, SendResult, Sockets } from "../../shared/ports.ts";
import { FRAME_BYTES } from "../../shared/protocol/limits.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";
import type { World } from "../backend.ts";
import type { Fault } from "../lambda/fault.ts";

const SENT: SendResult = { kind: "sent" };
const GONE = { kind: "gone" } as const;

/** The statuses of @connections, as what they mean. */
const byStatus = (status: Exclude<Fault, "hang">): Exclude<SendResult, { kind: "sent" }> => {
  const reason = `planned fault: HTTP ${status}`;
  if (status === 410) return GONE;
  if (status === 429) return { kind: "throttled", reason };
  if (status === 403 || status === 404) return { kind: "unavailable", reason, forbidden: true };
  return status >= 500 ? { kind: "unavailable", reason } : { kind: "refused", reason };
};

const statusOf = ({ kind }: SendResult): number => (kind === "sent" ? 200 : kind === "gone" ? 410 : 429);

/**
 * The sockets of this process. A send answers at once: `sent` once the frame is in the socket's buffer, `throttled` if
 * that is full, since its client does not read. It answers later only where a test has planned that it hangs.
 */
export function engineSockets(
  { connections, observer, faults, clock }: Pick<World, "connections" | "observer" | "faults" | "clock">,
  { sendTimeoutMilliseconds }: { readonly sendTimeoutMilliseconds: number },
): Sockets {
  const openOne = (id: ConnectionId) => {
    const connection = connections.get(id);
    return connection?.isOpen() ? connection : undefined;
  };
  const hang = async () => {
    await clock.pause(sendTimeoutMilliseconds);
    return { kind: "unavailable", reason: `no answer within ${sendTimeoutMilliseconds} ms` } as const;
  };
  const faultOf = (method: string, connectionId: string) => faults.next({ method, connectionId });

  const put = (id: ConnectionId, frame: Uint8Array): SendResult => {
    if (frame.length > FRAME_BYTES) return { kind: "refused", reason: "the frame is too large" };
    const connection = openOne(id);
    if (!connection) return GONE;
    if (connection.isFull()) return { kind: "throttled", reason: "the client does not read" };
    connection.send(Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength));
    observer.metered(id, frame.length);
    return SENT;
  };

  return {
    send(id, frame) {
      observer.sendStarted();
      const fault = faultOf("POST", id);
      if (fault === "hang") {
        return hang().then((result) => {
          observer.record({ kind: "sent", connectionId: id, status: 0 });
          return result;
        });
      }
      const result = fault === undefined ? put(id, frame) : byStatus(fault);
      observer.record({ kind: "sent", connectionId: id, status: fault ?? statusOf(result) });
      return result;
    },
    async close(id): Promise<CloseResult> {
      const fault = faultOf("DELETE", id);
      if (fault === "hang") return hang();
      const failed = fault === undefined ? undefined : byStatus(fault);
      if (failed && failed.kind !== "refused") return failed;
      const connection = openOne(id);
      connection?.close(1000, "");
      return connection ? { kind: "closed" } : GONE;
    },
    async probe(): Promise<GatewayState> {
      const fault = faultOf("GET", "");
      if (fault === undefined || fault === 410 || fault === 400) return "up";
      if (fault === "hang") await hang();
      return fault === 429 ? "throttled" : "down";
    },
  };
}
