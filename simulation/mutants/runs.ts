import type { Mutant } from "../world/mutant.ts";
import { queue } from "./change.ts";

const changed = (text: string, change: (message: Record<string, unknown>) => object): string => {
  const body = JSON.parse(text) as { message: Record<string, unknown> };
  return JSON.stringify({ ...body, message: { ...body.message, ...change(body.message) } });
};

/** Bugs of a run, and of what it does with the queue. */
export const RUNS = {
  "deaf-in-mid-run": {
    why: "a run that has begun to send does not look for a cancel",
    ports: ({ sockets, receipts }) => {
      let sent = false;
      return {
        sockets: {
          ...sockets,
          send(...asked) {
            sent = true;
            return sockets.send(...asked);
          },
        },
        receipts: { ...receipts, withdrawal: async (job) => (sent ? undefined : receipts.withdrawal(job)) },
      };
    },
  },
  "deaf-between-rounds": {
    why: "a run does not look for a cancel before it sends again",
    ports: ({ clock, receipts }) => {
      let paused = false;
      return {
        clock: {
          ...clock,
          pause(milliseconds) {
            paused = true;
            return clock.pause(milliseconds);
          },
        },
        receipts: { ...receipts, withdrawal: async (job) => (paused ? undefined : receipts.withdrawal(job)) },
      };
    },
  },
  "no-reserve": {
    why: "a run sends until it is killed",
    seed: 3,
    policy: () => ({ reserveMilliseconds: 0 }),
  },
  "end-from-settings": {
    why: "a run takes its end from the settings and not from its context",
    seed: 8,
    end: (end) => end + 60_000,
  },
  "no-back-off": {
    why: "what is to be tried again is back at once",
    ports: queue(({ changeVisibility }) => ({
      changeVisibility: (lane, handle) => changeVisibility(lane, handle, 1),
    })),
  },
  "back-off-without-cap": {
    why: "back-off grows without end",
    policy: () => ({ backoff: { baseSeconds: 400, capSeconds: 40_000 } }),
  },
  "delay-ignored": {
    why: "a message is in its lane at once, whatever its delay",
    seed: 3,
    ports: queue(({ send }) => ({
      send: (lane, entries) =>
        send(
          lane,
          entries.map(({ job }) => ({ job })),
        ),
    })),
  },
  "one-lane": {
    why: "all messages and jobs go to one lane",
    ports: queue(({ send }) => ({ send: (_, entries) => send("normal", entries) })),
  },
  "reason-lost": {
    why: "a dead letter does not say why",
    ports: queue(({ deadLetter }) => ({ deadLetter: (lane, body) => deadLetter(lane, body, "none given") })),
  },
  "expiry-ignored": {
    why: "a consumer takes no message for expired",
    body: (text) => changed(text, () => ({ expiresAt: Number.MAX_SAFE_INTEGER })),
  },
  "event-lost": {
    why: "the frame does not name the event",
    body: (text) => changed(text, () => ({ event: undefined })),
  },
  "time-of-delivery": {
    why: "the frame says when it was sent and not when it was accepted",
    body: (text) =>
      changed(text, ({ time }) => ({ time: new Date(Date.parse(String(time)) + 1_000).toISOString() })),
  },
  "duplicates-uncounted": {
    why: "a duplicate does not count as one",
    ports: ({ telemetry }) => ({
      telemetry: {
        ...telemetry,
        count: (metric, value) => (metric === "Duplicates" ? undefined : telemetry.count(metric, value)),
      },
    }),
  },
} as const satisfies Record<string, Mutant>;
