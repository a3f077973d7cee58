import { backoff } from "./backoff.ts";
import type { Emitter } from "./emitter.ts";
import { ClientError } from "./error.ts";
import { listOf, type Reply } from "./frame.ts";
import type { ClientFrame } from "./link.ts";
import type { Runtime } from "./runtime.ts";
import { freshToken, lifeOf, type TokenSource } from "./tokens.ts";

export interface RefreshDeps extends Pick<Emitter, "emit"> {
  readonly runtime: Runtime;
  readonly source: TokenSource;
  request(frame: ClientFrame, done: (reply: Reply | undefined) => void): void;
  /** The connection lives on with this token. */
  onToken(token: string, removed: readonly unknown[]): void;
  /** There is no token any more. */
  onSignedOut(): void;
}

/** Refreshes the token of a connection between 75 and 90 % of its life. Returns a function that ends it. */
export function keepFresh(deps: RefreshDeps, token: string): () => void {
  const { runtime, source, request, emit, onToken, onSignedOut } = deps;
  const retry = backoff(runtime);
  let hasEnded = false;
  let stop = () => {};

  const failed = (reason: ClientError, seconds = 1) => {
    emit("error", reason);
    // The old token holds until its end, and then the router ends the connection. An older router knows no such frame.
    if (reason.code !== "FRAME_INVALID") stop = runtime.after(seconds * 1000 + retry.next(), refresh);
  };
  const plan = (current: string) => {
    const life = lifeOf(current, runtime.now());
    if (life !== undefined) stop = runtime.after(life * (0.75 + 0.15 * runtime.random()), refresh);
  };
  const refresh = async () => {
    let next: string | null;
    try {
      next = await freshToken(runtime, source);
    } catch (fault) {
      return hasEnded ? undefined : failed(fault as ClientError);
    }
    if (hasEnded) return;
    if (next === null) return onSignedOut();
    const fresh = next;
    request({ type: "token", token: fresh }, (reply) => {
      if (!reply || hasEnded) return;
      if (reply.type !== "token") return failed(new ClientError(reply.code, reply.detail), reply.retryAfter);
      retry.reset();
      plan(fresh);
      onToken(fresh, listOf(reply.fields["removed"]));
    });
  };
  plan(token);
  return () => {
    hasEnded = true;
    stop();
  };
}
