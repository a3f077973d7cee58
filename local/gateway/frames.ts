import { randomUUID } from "node:crypto";
import type { APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import type { Clock } from "../../shared/ports.ts";
import type { EventOf, InvocationResult } from "../invocation.ts";
import type { Limits } from "../limits.ts";
import type { Observer } from "../testing/observer.ts";
import type { Connection } from "./connection.ts";
import type { Quota } from "./quota.ts";
import { messageEvent } from "./socket-event.ts";

export interface FramesDeps {
  readonly invoke: (event: EventOf<"socket">) => Promise<InvocationResult<APIGatewayProxyStructuredResultV2>>;
  readonly observer: Pick<Observer, "metered">;
  readonly clock: Pick<Clock, "now">;
  readonly quota: Quota;
  readonly limits: Pick<Limits, "framesInFlight">;
  /** Whether frames that wait are dropped. */
  readonly ended: () => boolean;
}

interface Frame {
  readonly text: string;
  readonly end: () => void;
}

/**
 * Runs the frames of one socket side by side, each in an invocation of its own, and sends the replies in the order in
 * which the invocations end: API Gateway promises no other order.
 */
export function serveFrames(deps: FramesDeps, connection: Connection): void {
  const { peer, socket } = connection;
  const { connectionId } = peer;
  // A paused socket still gives what has been read already, so more can wait than may run.
  const waiting: Frame[] = [];
  let running = 0;

  const reply = async (text: string): Promise<string | undefined> => {
    const requestId = randomUUID();
    const said = (message: string) => JSON.stringify({ message, connectionId, requestId });
    if (!deps.quota.take()) return said("Too Many Requests");
    const answer = await deps.invoke(messageEvent(peer, text, requestId, deps.clock.now()));
    if (answer.kind === "returned") return answer.value?.body || undefined;
    return said(answer.kind === "throttled" ? "Too Many Requests" : "Internal server error");
  };

  const run = async ({ text, end }: Frame): Promise<void> => {
    running += 1;
    const body = await reply(text);
    if (body !== undefined && connection.isOpen()) {
      deps.observer.metered(connectionId, Buffer.byteLength(body));
      connection.send(body);
    }
    running -= 1;
    end();
    next();
  };

  const next = () => {
    while (running < deps.limits.framesInFlight && !connection.isFull() && !deps.ended()) {
      const frame = waiting.shift();
      if (frame === undefined) return;
      void run(frame);
    }
  };

  connection.onFlush(next);
  socket.on("message", (data: Buffer, isBinary) => {
    if (!connection.isOpen()) return;
    connection.touch();
    if (isBinary) return connection.close(1003, "Binary messages are not supported");
    deps.observer.metered(connectionId, data.length);
    waiting.push({ text: data.toString(), end: connection.begin(data.length) });
    next();
  });
}
