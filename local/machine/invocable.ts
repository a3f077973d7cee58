import type { RunContext } from "../../functions/ports.ts";
import type { FunctionName } from "../../shared/settings/variables.ts";
import type { Invocable } from "../backend.ts";
import type { EventOf, ReplyOf } from "../invocation.ts";
import { crashLine } from "../invocation.ts";

/**
 * A handler as the gateway calls it: in this process, as often at a time as requests come, with no clock that stops it.
 * It is told that it has `timeoutSeconds`.
 */
export function invocable<F extends FunctionName>(
  name: F,
  handler: (event: EventOf<F>, context: RunContext) => Promise<ReplyOf<F>>,
  { timeoutSeconds, print }: { readonly timeoutSeconds: number; readonly print: (line: string) => void },
): Invocable<F> {
  const context: RunContext = { getRemainingTimeInMillis: () => timeoutSeconds * 1_000 };
  let running = 0;
  let idle = () => {};
  return {
    async invoke(event) {
      running++;
      try {
        return { kind: "returned", value: await handler(event, context) };
      } catch (fault) {
        print(crashLine(name, undefined, fault));
        return { kind: "crashed" };
      } finally {
        running--;
        if (running === 0) idle();
      }
    },
    settled: async () => {
      if (running === 0) return;
      await new Promise<void>((resolve) => {
        idle = resolve;
      });
    },
  };
}
