import type { Network } from "./network.ts";
import type { Ports } from "./ports.ts";
import type { Actor } from "./scheduler.ts";
import type { Trace } from "./trace.ts";

/** How one invocation of a function ended, as API Gateway sees it. */
export type Invocation<T> =
  | { readonly kind: "returned"; readonly value: T }
  | { readonly kind: "threw"; readonly fault: unknown }
  | { readonly kind: "died" };

/** Runs a function that answers somebody: ingest, receipts, socket. */
export type Invoke = <T>(what: string, run: (ports: Ports) => Promise<T>) => Promise<Invocation<T>>;

export interface InvokeWorld {
  readonly network: Network;
  readonly trace: Trace;
  readonly ports: (actor: Actor) => Ports;
  /** Milliseconds until a function is killed. */
  readonly timeout: number;
}

/** Invocations that may die on the way. */
export function invoker({ network, trace, ports, timeout }: InvokeWorld): Invoke {
  let invocations = 0;
  return (what, run) =>
    new Promise((resolve) => {
      const name = `call-${++invocations}`;
      const actor = network.spawn(name, timeout, () => resolve({ kind: "died" }));
      trace.note(name, what);
      run(ports(actor)).then(
        (value) => {
          network.retire(actor);
          resolve({ kind: "returned", value });
        },
        (fault: unknown) => {
          network.retire(actor);
          trace.note(name, "throws", () => String(fault));
          resolve({ kind: "threw", fault });
        },
      );
    });
}
