import type { Router } from "../../local/options.ts";
import { DEV_SECRET } from "../../shared/settings/dev-secret.ts";
import { signToken } from "../../testing/sign-token.ts";
import { openSocket } from "./socket.ts";

/** A token with every grant, or with those given. */
export const tokenFor = (
  sub: string,
  claims: Record<string, unknown> = {},
  secret = DEV_SECRET,
): Promise<string> => signToken({ subscribe: ["*"], publish: ["*"], ...claims, sub }, { secret });

/** A client that speaks the protocol. */
export interface TestSocket {
  /** Sends a frame; a text goes out as it is. */
  send(frame: unknown): void;
  next(): Promise<unknown>;
  buffered(): readonly unknown[];
  isOpen(): boolean;
  close(): Promise<void>;
}

/** Connects as a user, with tags that the token fixes, or with other claims. */
export async function connect(
  router: Pick<Router, "socketUrl">,
  user: string,
  tags: string[] = [],
  claims: Record<string, unknown> = {},
): Promise<TestSocket> {
  const token = await tokenFor(user, { tags, ...claims });
  const { socket, closed, next, buffered } = await openSocket(
    router.socketUrl,
    ["tagwire.v1", `token.${token}`],
    (text): unknown => JSON.parse(text),
  );
  return {
    send: (frame) => socket.send(typeof frame === "string" ? frame : JSON.stringify(frame)),
    next,
    buffered,
    isOpen: () => socket.readyState === socket.OPEN,
    close: async () => {
      socket.close();
      await closed;
    },
  };
}
