import type { DeadLetters } from "../../shared/ports.ts";
import { LANES } from "../../shared/protocol/lane.ts";
import type { NewDeadLetter } from "../engine/dead-letters.ts";
import type { EngineQueue } from "../engine/queue.ts";
import type { Store } from "../engine/store/store.ts";
import type { Queues, StoredDeadLetter } from "../testing/queues.ts";

/** What a test or a gauge may look at. */
export const spiedQueues = (
  store: Store,
  queue: Pick<EngineQueue, "sizes">,
  deadLetters: Pick<DeadLetters, "size">,
): Queues => ({
  deadLetterCount: () => deadLetters.size(),
  async sizes() {
    const sizes = queue.sizes();
    const entries = LANES.map((lane) => {
      const { visible, hidden, taken } = sizes[lane];
      return [lane, { visible, inFlight: taken, delayed: hidden }] as const;
    });
    return Object.fromEntries(entries) as Awaited<ReturnType<Queues["sizes"]>>;
  },
  async deadLetters() {
    const all = {
      from: Number.MIN_SAFE_INTEGER,
      to: Number.MAX_SAFE_INTEGER,
      limit: Number.MAX_SAFE_INTEGER,
    };
    return store.range("dead-letters", all).map(({ key, value }): StoredDeadLetter => {
      const { body, reason, lane } = JSON.parse(value) as NewDeadLetter;
      const attributes = {
        ...(reason === undefined ? {} : { reason }),
        ...(lane === undefined ? {} : { lane }),
      };
      return { messageId: String(key), body, attributes };
    });
  },
});
