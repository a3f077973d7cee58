import { SignJWT } from "jose";
import { WebSocket } from "ws";
import type { Router } from "../../local/start.ts";
import { DEV_SECRET } from "../../shared/settings.ts";

/** A token with every grant, or with those given. */
export const tokenFor = (
  sub: string,
  claims: Record<string, unknown> = {},
  secret = DEV_SECRET,
): Promise<string> =>
  new SignJWT({ subscribe: ["*"], publish: ["*"], ...claims })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(sub)
    .setExpirationTime("1h")
    .sign(new TextEncoder().encode(secret));

/** A socket that keeps the frames it got until someone asks for them, so that no test can miss one. */
export interface TestSocket {
  send(frame: unknown): void;
  next(): Promise<unknown>;
  buffered(): readonly unknown[];
  isOpen(): boolean;
  close(): Promise<void>;
}

/** Connects as a user, with tags that the token fixes. */
export async function connect(
  router: Pick<Router, "socketUrl">,
  user: string,
  tags: string[] = [],
): Promise<TestSocket> {
  const socket = new WebSocket(router.socketUrl, ["tagwire.v1", `token.${await tokenFor(user, { tags })}`]);
  const frames: unknown[] = [];
  const waiting: ((frame: unknown) => void)[] = [];
  socket.on("message", (data) => {
    const frame: unknown = JSON.parse(String(data));
    const waiter = waiting.shift();
    if (waiter) waiter(frame);
    else frames.push(frame);
  });
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  return {
    send: (frame) => socket.send(JSON.stringify(frame)),
    next: () =>
      frames.length > 0 ? Promise.resolve(frames.shift()) : new Promise((resolve) => waiting.push(resolve)),
    buffered: () => frames,
    isOpen: () => socket.readyState === WebSocket.OPEN,
    close: () => {
      socket.close();
      return closed;
    },
  };
}
