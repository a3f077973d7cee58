import fc from "fast-check";
import { expect, test } from "vitest";
import { connect } from "../../shared/pipeline/socket/socket.ts";
import { TagwireError } from "../../shared/protocol/errors.ts";
import type { ConnectionId, Tag, UserId } from "../../shared/protocol/tag.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { memoryConnections } from "../../testing/memory/connections.ts";
import { memorySubscriptions } from "../../testing/memory/subscriptions.ts";
import { memoryTelemetry } from "../../testing/memory/telemetry.ts";
import { NOW } from "../support/message.ts";

const ANN = {
  sub: "ann" as UserId,
  tags: ["region:gd", "region:hk"] as Tag[],
  subscribe: ["*"],
  publish: [],
  admin: false,
  exp: NOW / 1000 + 7_200,
};
const SOCKET = { connectionId: "c1=" as ConnectionId, connectedAt: NOW };
const TAGS = ["everyone", "user:ann", "region:gd", "region:hk"] as Tag[];

/** What becomes of a call: it works, it is refused, or its answer is lost; a write of lists may be half done. */
type Fate = "works" | "refused" | "unheard" | "half";

/** A `$connect` of 10 s whose calls have these fates, one after the other; those beyond them work. */
async function connecting(fates: readonly Fate[]) {
  const clock = memoryClock(NOW);
  const [connections, subscriptions, telemetry] = [
    memoryConnections(),
    memorySubscriptions(),
    memoryTelemetry(),
  ];
  const calls: string[] = [];
  const meet = async <T>(
    name: string,
    effect: () => Promise<T>,
    half: () => Promise<unknown>,
  ): Promise<T> => {
    const fate = fates[calls.length] ?? "works";
    calls.push(name);
    clock.advance(10);
    if (fate === "half") await half();
    const value = fate === "works" || fate === "unheard" ? await effect() : undefined;
    if (fate !== "works") throw new TagwireError("TABLE_UNAVAILABLE", `${name}: ${fate}`);
    return value as T;
  };
  const nothing = async () => {};
  const deps = {
    clock,
    telemetry,
    random: () => 0.5,
    hasTime: (milliseconds: number) => clock.monotonic() + milliseconds < 10_000,
    policy: { maxAgeSeconds: 7_200, rowMarginSeconds: 600 },
    connections: {
      ...connections,
      put: (row) => meet("put", () => connections.put(row), nothing),
      delete: (row) => meet("delete", () => connections.delete(row), nothing),
    } satisfies typeof connections,
    subscriptions: {
      ...subscriptions,
      add: (tags, holder, until) =>
        meet(
          "add",
          () => subscriptions.add(tags, holder, until),
          () => subscriptions.add(tags.slice(0, 2), holder, until),
        ),
      remove: (tags, holder) =>
        meet(
          "remove",
          () => subscriptions.remove(tags, holder),
          () => subscriptions.remove(tags.slice(1), holder),
        ),
    } satisfies typeof subscriptions,
  };
  const isOpen = await connect(deps, SOCKET, ANN).then(
    ({ ok }) => ok,
    () => false,
  );
  const row = await connections.read(SOCKET.connectionId, NOW);
  return {
    isOpen,
    calls,
    rows: [...(row ? ["row"] : []), ...subscriptions.rows().map(({ tag }) => tag)].toSorted(),
  };
}

const fate = fc.constantFrom<Fate>("works", "refused", "unheard", "half");

test("a $connect has all its rows or none, whichever of its calls fail, and those that take them back", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fate, { maxLength: 8 }), async (fates) => {
      const { isOpen, rows } = await connecting(fates);
      expect(rows).toEqual(isOpen ? ["row", ...TAGS].toSorted() : []);
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  { fates: ["refused"], calls: ["put", "delete"] },
  { fates: ["works", "half"], calls: ["put", "add", "remove", "delete"] },
  {
    fates: ["works", "half", "half", "works", "refused"],
    calls: ["put", "add", "remove", "remove", "delete", "delete"],
  },
] as {
  fates: Fate[];
  calls: string[];
}[])("it takes back what it may have written, and no more: $fates", async ({ fates, calls }) => {
  expect(await connecting(fates)).toEqual({ isOpen: false, calls, rows: [] });
});

test("a table that stays away is given up before the run ends, and the row outlives the lists", async () => {
  const { calls, rows } = await connecting(["works", "half", ...Array<Fate>(1_000).fill("refused")]);
  expect(calls.length).toBeLessThan(40);
  expect(rows).toEqual(["everyone", "row", "user:ann"]);
});
