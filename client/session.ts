import { ASKS, backoff } from "./backoff.ts";
import type { ClientEvents, ConnectionState } from "./emitter.ts";
import { ClientError } from "./error.ts";
import type { Reply } from "./frame.ts";
import { type Line, type LineDeps, openLine } from "./line.ts";
import type { ClientFrame } from "./link.ts";
import { askWhy } from "./refusal.ts";
import { freshToken } from "./tokens.ts";

/** API Gateway cuts a connection after 2 h. It is replaced before, at a random time from the first to the sum of both. */
const ROTATE_AFTER = 6_000_000;
const ROTATE_SPREAD = 900_000;
/** After this long a connection has held, and the back-off begins anew. */
const HELD = 30_000;
/** How long the old socket stays open beside the new one: what was sent just before is still on its way. */
const LINGER = 2_000;
/** Refusals of fresh tokens in a row that are for good. */
const REFUSALS = 2;

export interface SessionDeps extends LineDeps {
  /** Where the HTTP API is, without a slash at its end. */
  readonly httpUrl: string;
  /** It is over for good. */
  onClosed(): void;
}

/** The connection of a client, over all its sockets. */
export interface Session {
  state(): ConnectionState;
  /** The last token that the router took, until it is closed. */
  token(): string | undefined;
  /** Sends a frame over an open socket. Returns false if there is none. */
  request(frame: ClientFrame, done: (reply: Reply | undefined) => void): boolean;
  /** Follows what is wanted. */
  sync(): void;
  close(reason: ClientError): void;
}

/** Connects, and again after every cut, with at most two sockets at a time. */
export function session(deps: SessionDeps): Session {
  const { runtime, source, emit } = deps;
  const retry = backoff(runtime);
  let state: ConnectionState = "connecting";
  let current: Line | undefined;
  /** Being opened: the first one, one after a cut, or one that takes over. */
  let next: Line | undefined;
  /** The one that was replaced. */
  let old: Line | undefined;
  /** A token is being fetched, or `next` is being opened, or it is asked why it was not. */
  let isOpening = false;
  let stopWaiting: (() => void) | undefined;
  let token: string | undefined;
  let refusals = 0;
  /** Sockets that did not open, since one did. */
  let failures = 0;

  const tell = (to: ConnectionState, more: Omit<ClientEvents["state"], "state"> = {}) => {
    state = to;
    emit("state", { state, ...more });
  };
  const isClosed = () => state === "closed";
  const stopWait = () => {
    stopWaiting?.();
    stopWaiting = undefined;
  };

  const attempt = async () => {
    stopWait();
    if (isOpening || isClosed()) return;
    isOpening = true;
    try {
      const fresh = await freshToken(runtime, source);
      if (isClosed()) return;
      if (fresh === null) signOut();
      else next = open(fresh);
    } catch (fault) {
      again(fault as ClientError);
    }
  };

  const open = (fresh: string): Line => {
    old?.stop();
    const line = openLine(deps, fresh, {
      onToken(it) {
        token = it;
        refusals = 0;
        failures = 0;
      },
      onReady: () => line === next && promote(line),
      onSignedOut: signOut,
      wasCut: () => !current,
      onEnd(reason, wasOpen) {
        if (line === current) lost(reason);
        if (line !== next) return;
        next = undefined;
        if (wasOpen) again(reason);
        else void refused(fresh, reason);
      },
    });
    return line;
  };

  const promote = (line: Line) => {
    const wasCut = !current;
    old = current;
    current = line;
    next = undefined;
    isOpening = false;
    line.after(HELD, retry.reset);
    line.after(ROTATE_AFTER + ROTATE_SPREAD * runtime.random(), attempt);
    if (wasCut) tell("connected");
    else old?.after(LINGER, old.stop);
  };

  /** The connection is gone. One that was to replace it goes on, and so does a wait. */
  const lost = (reason: ClientError) => {
    current = undefined;
    if (isOpening || stopWaiting) tell("connecting", { reason });
    else again(reason);
  };

  const again = (reason: ClientError) => {
    isOpening = false;
    if (isClosed()) return;
    const retryInMilliseconds = retry.next();
    stopWaiting = runtime.after(retryInMilliseconds, attempt);
    if (!current) tell("connecting", { reason, retryInMilliseconds });
  };

  /** The socket was not opened: tells a token that the router refuses from a router that cannot be reached. */
  const refused = async (fresh: string, reason: ClientError) => {
    failures++;
    if (token !== undefined && refusals === 0 && failures % ASKS !== 0) return again(reason);
    const isRefused = (await askWhy(runtime, deps.httpUrl, fresh)) === "refused";
    refusals = isRefused ? refusals + 1 : 0;
    if (refusals < REFUSALS) again(reason);
    else close(new ClientError("REFUSED", "the router refused two fresh tokens: see what makes them"));
  };

  const signOut = () => close(new ClientError("SIGNED_OUT", "token returned null"));
  const close = (reason: ClientError) => {
    if (isClosed()) return;
    stopWait();
    stopWaking();
    for (const line of [old, current, next]) line?.stop();
    current = next = token = undefined;
    tell("closed", { reason });
    deps.onClosed();
  };

  const stopWaking = runtime.onWake(() => {
    if (current) current.probe();
    else if (stopWaiting) void attempt();
  });
  void attempt();

  return {
    state: () => state,
    token: () => token,
    request: (frame, done) => (current ?? next)?.request(frame, done) ?? false,
    sync() {
      current?.sync();
      next?.sync();
    },
    close,
  };
}
