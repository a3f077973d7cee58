import { chunks } from "../../shared/chunks.ts";
import type { DeadLetter, DeadLetters, HeldDeadLetter } from "../../shared/ports.ts";
import { type DeadLetterCall, NAMED } from "../../shared/protocol/dead-letter-calls.ts";

/** Makes one of the calls and returns what it answers. */
export type CallDeadLetters = (call: DeadLetterCall, body: object) => Promise<unknown>;

/** The dead letters of a router on one machine, over HTTP. */
export function oneMachineDeadLetters(call: CallDeadLetters): DeadLetters {
  const inParts = async (name: "release" | "remove", letters: readonly HeldDeadLetter[]) => {
    const answers: unknown[] = [];
    for (const some of chunks(letters, NAMED)) {
      const deadLetters = some.map(({ entryId, receiptHandle }) => ({ entryId, receiptHandle }));
      answers.push(await call(name, { deadLetters }));
    }
    return answers;
  };
  return {
    receive: async (limit, visibilitySeconds) =>
      (await call("receive", { limit, visibilitySeconds })) as DeadLetter[],
    async release(letters) {
      await inParts("release", letters);
    },
    forward: async (lane, entries) => (await call("forward", { lane, entries })) as boolean[],
    remove: async (letters) => (await inParts("remove", letters)).flat() as boolean[],
    size: async () => (await call("size", {})) as number,
  };
}
