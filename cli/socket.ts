import { WebSocket } from "ws";
import { causeOf, isObject } from "../server/request.ts";
import { chunks } from "../shared/chunks.ts";
import { SUBPROTOCOL } from "../shared/protocol/frame.ts";
import { FRAME_TOPICS } from "../shared/protocol/limits.ts";
import { parseJson } from "../shared/protocol/parse.ts";
import { firstRefusal, isReason, reasonLine } from "./failure.ts";
import { caughtUp, type Places } from "./place.ts";
import { refusalOf } from "./refusal.ts";

/**
 * How a connection ended. unreachable: it never opened. refused: trying again would not help, since the token
 * or a topic is not good. closed: it was open, and is not any more.
 */
export interface Cut {
  readonly kind: "unreachable" | "refused" | "closed";
  readonly reason: string;
}

export interface Connecting {
  readonly url: URL;
  readonly token: string;
  readonly topics: readonly string[];
  /** What is known of the streams of the topics. It outlives the connection. */
  readonly places: Places;
  /** Milliseconds between pings. A ping without any answer by the next one ends the connection. */
  readonly pingEvery: number;
  /** Closes the connection in good order. */
  readonly until: AbortSignal;
  /** Gets each message frame, as text in one line. */
  onFrame(text: string): void;
  /** Called if messages of a topic are lost. */
  onGap(topic: string): void;
  /** Gets what the router says is wrong, where that does not end the connection. */
  onError(reason: string): void;
  /** Called when every topic is subscribed. */
  onReady(): void;
}

/** Opens one connection, subscribes, and resolves when it is over. */
export function connect(wanted: Connecting): Promise<Cut> {
  const { url, token, topics, places, pingEvery, until, onReady } = wanted;
  const socket = new WebSocket(url, [SUBPROTOCOL, `token.${token}`], { handshakeTimeout: 15_000 });
  const unsubscribed = new Set(chunks(topics, FRAME_TOPICS).keys());
  let cut: Cut | undefined;
  let answered = true;

  const refuse = (reason: string) => {
    cut = { kind: "refused", reason };
    socket.close(1000);
  };
  const show = (message: Readonly<Record<string, unknown>>) => {
    if (places.isNew(message)) wanted.onFrame(JSON.stringify(message));
  };
  const catchUp = (reply: Readonly<Record<string, unknown>>) => {
    const { messages, missed, positions, more } = caughtUp(reply);
    for (const topic of missed) wanted.onGap(topic);
    for (const message of messages) show(message);
    for (const [topic, position] of positions) places.reached(topic, position);
    for (const topic of more) {
      const since = positions.find(([name]) => name === topic)?.[1];
      if (since !== undefined) socket.send(JSON.stringify({ type: "history", topic, since }));
    }
  };
  const ping = setInterval(() => {
    if (!answered) return socket.terminate();
    if (socket.readyState !== WebSocket.OPEN) return;
    answered = false;
    socket.send(JSON.stringify({ type: "ping" }));
  }, pingEvery);
  const leave = () => socket.close(1000);
  until.addEventListener("abort", leave);

  socket.on("open", () => {
    chunks(topics, FRAME_TOPICS).forEach((some, ref) => {
      socket.send(JSON.stringify({ type: "subscribe", topics: some, ...places.asked(some), ref }));
    });
    if (unsubscribed.size === 0) onReady();
  });
  socket.on("message", (bytes) => {
    answered = true;
    const text = bytes.toString();
    const json = parseJson(text);
    const frame = json.ok && isObject(json.value) ? json.value : {};
    if (frame.type === "message") return show(frame);
    const refusal = firstRefusal(frame);
    if (refusal !== undefined) return refuse(refusal);
    catchUp(frame);
    if (frame.type === "subscribed" && unsubscribed.delete(Number(frame.ref)) && unsubscribed.size === 0)
      return onReady();
    if (frame.type !== "error" || !isReason(frame)) return;
    if (unsubscribed.has(Number(frame.ref))) refuse(reasonLine(frame));
    else wanted.onError(reasonLine(frame));
  });
  socket.on("unexpected-response", async (_request, response) => {
    const status = response.statusCode ?? 0;
    const kind = status >= 400 && status < 500 && status !== 429 ? "refused" : "unreachable";
    cut = { kind, reason: await refusalOf(response) };
    socket.terminate();
  });
  socket.on("error", (fault) => {
    cut ??= { kind: "unreachable", reason: causeOf(fault) };
  });
  return new Promise((resolve) => {
    socket.on("close", (code, reason) => {
      clearInterval(ping);
      until.removeEventListener("abort", leave);
      resolve(cut ?? { kind: "closed", reason: `the connection was closed with ${code} ${reason}`.trim() });
    });
  });
}
