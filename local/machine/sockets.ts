import { failedClose, failedSend, gatewayState } from "../../shared/adapters/apigateway/send-result.ts";
import type { CloseResult, GatewayState, SendResult, Sockets } from "../../shared/ports.ts";
import { FRAME_BYTES } from "../../shared/protocol/limits.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";
import type { World } from "../backend.ts";

const SENT: SendResult = { kind: "sent" };
const GONE = { kind: "gone" } as const;

const reasonOf = (status: number) => `the test planned a ${status}`;

const statusOf = ({ kind }: SendResult): number => (kind === "sent" ? 200 : kind === "gone" ? 410 : 429);

/**
 * The sockets of this process. A send answers at once: `sent` once the frame is in the socket's buffer, `throttled` if
 * that is full, since its client does not read. It answers later only where a test has planned that it hangs.
 */
export function machineSockets(
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
      const fault = faults.isEmpty() ? undefined : faultOf("POST", id);
      if (fault === "hang") {
        return hang().then((result) => {
          observer.record({ kind: "sent", connectionId: id, status: 0 });
          return result;
        });
      }
      const result = fault === undefined ? put(id, frame) : failedSend(fault, reasonOf(fault));
      observer.record({ kind: "sent", connectionId: id, status: fault ?? statusOf(result) });
      return result;
    },
    async close(id): Promise<CloseResult> {
      const fault = faultOf("DELETE", id);
      if (fault === "hang") return hang();
      if (fault !== undefined) return failedClose(fault, reasonOf(fault));
      const connection = openOne(id);
      connection?.close(1000, "");
      return connection ? { kind: "closed" } : GONE;
    },
    async probe(): Promise<GatewayState> {
      const fault = faultOf("GET", "");
      if (fault === undefined) return "up";
      if (fault === "hang") await hang();
      return gatewayState(fault === "hang" ? undefined : fault);
    },
  };
}
