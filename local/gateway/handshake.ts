import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { FRAME_BYTES } from "../../shared/protocol/limits.ts";
import { type Refused, refuseUpgrade } from "./refusal.ts";

/** What becomes of a handshake that is well formed. */
export type Decision =
  /** `protocol`: the sub-protocol that was agreed on. */
  | { readonly kind: "open"; readonly protocol?: string; readonly opened: (socket: WebSocket) => void }
  | Refused
  /** The client is gone. */
  | { readonly kind: "drop" };

/** Takes requests for a WebSocket. A broken handshake is refused with 400 before anyone decides about it. */
export function handshake(
  decide: (request: IncomingMessage) => Promise<Decision>,
): (request: IncomingMessage, tcp: Duplex, head: Buffer) => void {
  const opening = new WeakMap<IncomingMessage, Extract<Decision, { kind: "open" }>>();
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: FRAME_BYTES,
    // The function names the protocol, and the header is set below: so it is on AWS, whatever the client offered.
    handleProtocols: () => false,
    // Called once the handshake has been found good.
    verifyClient: ({ req }, answer) => {
      decide(req)
        .then((decision) => {
          if (decision.kind === "drop") return req.socket.destroy();
          if (decision.kind === "open") {
            opening.set(req, decision);
            return answer(true);
          }
          answer(false, decision.status, decision.body, { "Content-Type": decision.type });
        })
        .catch(() => req.socket.destroy());
    },
  });
  server.on("headers", (headers, request) => {
    const protocol = opening.get(request)?.protocol;
    if (protocol !== undefined) headers.push(`Sec-WebSocket-Protocol: ${protocol}`);
  });
  server.on("wsClientError", (_, tcp) => refuseUpgrade(tcp, 400));
  return (request, tcp, head) =>
    server.handleUpgrade(request, tcp, head, (socket) => opening.get(request)?.opened(socket));
}
