import { WebSocket } from "ws";
import { causeOf, isObject } from "../../server/request.ts";
import { SUBPROTOCOL } from "../../shared/protocol/frame.ts";
import { parseJson } from "../../shared/protocol/parse.ts";
import { firstRefusal, isReason, reasonLine, UNREACHABLE_HINT } from "../failure.ts";
import { refusalOf } from "../refusal.ts";

export interface Opening {
  readonly url: URL;
  readonly token: string;
  readonly topic: string;
  /** Gets the id of each message frame. */
  onMessage(id: string): void;
  /** The connection ended without a close of this side. */
  onCut(): void;
}

/** How a message frame begins as the router writes it: reading its id so costs less than parsing it. */
const START = '{"type":"message","id":"';
/** Milliseconds that a handshake and a subscribe may take together. */
const PATIENCE = 30_000;

/** Opens a socket and subscribes. Resolves with a function that closes it; rejects with the reason in words. */
export function open({ url, token, topic, onMessage, onCut }: Opening): Promise<() => Promise<void>> {
  const socket = new WebSocket(url, [SUBPROTOCOL, `token.${token}`], { perMessageDeflate: false });
  let closing = false;
  let subscribed = false;
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const close = () => {
    closing = true;
    socket.close(1000);
    return closed;
  };
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => {
      closing = true;
      reject(new Error(reason));
      socket.terminate();
    };
    const timer = setTimeout(() => fail(`no answer within ${PATIENCE / 1000} s`), PATIENCE);
    socket.on("open", () => socket.send(JSON.stringify({ type: "subscribe", topics: [topic], ref: 1 })));
    socket.on("message", (bytes) => {
      const text = bytes.toString();
      if (text.startsWith(START)) return onMessage(text.slice(START.length, text.indexOf('"', START.length)));
      const json = parseJson(text);
      const frame = json.ok && isObject(json.value) ? json.value : {};
      if (frame.type === "message") return onMessage(String(frame.id));
      if (frame.type === "error" && isReason(frame) && !subscribed) return fail(reasonLine(frame));
      if (frame.type !== "subscribed") return;
      const refusal = firstRefusal(frame);
      if (refusal !== undefined) return fail(refusal);
      subscribed = true;
      clearTimeout(timer);
      resolve(close);
    });
    socket.on("unexpected-response", async (_, response) => fail(await refusalOf(response)));
    socket.on("error", (fault) => fail(`cannot reach ${url.origin}: ${causeOf(fault)}${UNREACHABLE_HINT}`));
    socket.on("close", (code) => {
      clearTimeout(timer);
      if (!subscribed) reject(new Error(`it was closed with ${code}`));
      else if (!closing) onCut();
    });
  });
}
