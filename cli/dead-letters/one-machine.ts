import type { DeadLetter, DeadLetters, HeldDeadLetter } from "../../shared/ports.ts";
import type { DeadLetterCall } from "../../shared/protocol/dead-letter-calls.ts";

/** Makes one of the calls and returns what it answers. */
export type CallDeadLetters = (call: DeadLetterCall, body: object) => Promise<unknown>;

/** The dead letters of a router on one machine, over HTTP. */
export function oneMachineDeadLetters(call: CallDeadLetters): DeadLetters {
  const held = (letters: readonly HeldDeadLetter[]) => ({
    deadLetters: letters.map(({ entryId, receiptHandle }) => ({ entryId, receiptHandle })),
  });
  return {
    receive: async (limit, visibilitySeconds) =>
      (await call("receive", { limit, visibilitySeconds })) as DeadLetter[],
    async release(letters) {
      await call("release", held(letters));
    },
    forward: async (lane, entries) => (await call("forward", { lane, entries })) as boolean[],
    remove: async (letters) => (await call("remove", held(letters))) as boolean[],
    size: async () => (await call("size", {})) as number,
  };
}
