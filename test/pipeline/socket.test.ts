import fc from "fast-check";
import { expect, test } from "vitest";
import { removeConnection } from "../../shared/pipeline/socket/remove-connection.ts";
import { answer, connect, disconnect } from "../../shared/pipeline/socket/socket.ts";
import type { ConnectionId, Tag, UserId } from "../../shared/protocol/tag.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { memoryConnections } from "../../testing/memory/connections.ts";
import { memorySubscriptions } from "../../testing/memory/subscriptions.ts";
import { memoryTelemetry } from "../../testing/memory/telemetry.ts";
import { memoryTokens } from "../../testing/memory/tokens.ts";
import { NOW } from "../support/message.ts";

const ANN = {
  sub: "ann" as UserId,
  tags: ["region:gd"] as Tag[],
  subscribe: ["*"],
  publish: [],
  admin: false,
  exp: NOW / 1000 + 7_200,
};
const SOCKET = { connectionId: "c1=" as ConnectionId, connectedAt: NOW };

/** A port whose calls happen in whatever order the scheduler says. */
function scheduled<Port extends object>(scheduler: fc.Scheduler, port: Port): Port {
  const calls = Object.entries(port).map(([name, call]) => [
    name,
    async (...args: unknown[]) => {
      await scheduler.schedule(Promise.resolve(), name);
      return call(...args);
    },
  ]);
  return Object.fromEntries(calls) as Port;
}

const steps = fc.array(
  fc.oneof(
    fc.record({
      type: fc.constantFrom("subscribe", "unsubscribe"),
      topics: fc.subarray(["a", "b"], { minLength: 1 }),
    }),
    fc.constant("disconnect" as const),
    fc.constant("gone" as const),
  ),
  { minLength: 1, maxLength: 5 },
);

test("no subscription outlives its connection, in whatever order frames, $disconnect and a 410 are served", async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), steps, async (scheduler, work) => {
      const [connections, subscriptions] = [memoryConnections(), memorySubscriptions()];
      const still = {
        connections,
        subscriptions,
        clock: memoryClock(NOW),
        policy: { maxAgeSeconds: 7_200, rowMarginSeconds: 600 },
        telemetry: memoryTelemetry(),
        random: () => 0.5,
        frameLimit: () => undefined,
        tokens: memoryTokens(),
      };
      await connect(still, SOCKET, ANN);
      const deps = {
        ...still,
        connections: scheduled(scheduler, connections),
        subscriptions: scheduled(scheduler, subscriptions),
      };
      const served = [...work, "disconnect" as const].map((step) => {
        if (step === "disconnect") return disconnect(deps, SOCKET);
        if (step === "gone") return removeConnection(deps, SOCKET, ["topic:a" as Tag]);
        return answer(deps, SOCKET.connectionId, JSON.stringify(step));
      });
      await scheduler.waitFor(Promise.all(served));
      expect(connections.size()).toBe(0);
      expect(subscriptions.rows()).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test("after the reply the lists and the row say the same, in whatever order frames are served", async () => {
  const frames = fc.array(
    fc.record({
      type: fc.constantFrom("subscribe", "unsubscribe"),
      topics: fc.subarray(["a", "b", "c"], { minLength: 1 }),
    }),
    { maxLength: 8 },
  );
  await fc.assert(
    fc.asyncProperty(frames, async (all) => {
      const [connections, subscriptions] = [memoryConnections(), memorySubscriptions()];
      const policy = { maxAgeSeconds: 7_200, rowMarginSeconds: 600 };
      const deps = {
        connections,
        subscriptions,
        clock: memoryClock(NOW),
        policy,
        telemetry: memoryTelemetry(),
        random: () => 0.5,
        frameLimit: () => undefined,
        tokens: memoryTokens(),
      };
      await connect(deps, SOCKET, ANN);
      const held = new Set<string>();
      for (const { type, topics } of all) {
        await answer(deps, SOCKET.connectionId, JSON.stringify({ type, topics }));
        for (const topic of topics) type === "subscribe" ? held.add(topic) : held.delete(topic);
        const expected = [
          "everyone",
          "region:gd",
          ...[...held].map((topic) => `topic:${topic}`),
          "user:ann",
        ].sort();
        expect(
          subscriptions
            .rows()
            .map(({ tag }) => tag)
            .sort(),
        ).toEqual(expected);
        expect((await connections.find(SOCKET.connectionId, NOW))?.tags.toSorted()).toEqual(expected);
      }
    }),
  );
});
