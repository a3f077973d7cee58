import fc from "fast-check";
import { expect, test } from "vitest";
import { disconnect } from "../../shared/pipeline/socket/socket.ts";
import type { ServerFrame } from "../../shared/protocol/frame.ts";
import { inEveryOrder, interleave } from "../support/interleave.ts";
import { type Frame, openConnection, SOCKET } from "./side-by-side.ts";

const SUBSCRIBE: Frame = { type: "subscribe", topics: ["a"] };
const UNSUBSCRIBE: Frame = { type: "unsubscribe", topics: ["a"] };

const codeOf = (reply: ServerFrame | undefined) => (reply?.type === "error" ? reply.code : reply?.type);

/** `orders`: in how many ways their steps can follow one another, by whether the topic was held before. */
const PAIRS: readonly { name: string; frames: readonly [Frame, Frame]; orders: readonly [number, number] }[] =
  [
    { name: "subscribe and unsubscribe", frames: [SUBSCRIBE, UNSUBSCRIBE], orders: [56, 56] },
    { name: "subscribe and subscribe", frames: [SUBSCRIBE, SUBSCRIBE], orders: [280, 2] },
    { name: "unsubscribe and unsubscribe", frames: [UNSUBSCRIBE, UNSUBSCRIBE], orders: [2, 180] },
  ];

/** Whether the connection holds the topic before. */
const BEFORE = [[], ["a"]];

test.each(PAIRS)("$name side by side: in every order the lists end as the row says", async ({
  frames,
  orders,
}) => {
  for (const [i, held] of BEFORE.entries()) {
    const replies = new Set<string>();
    const count = await inEveryOrder(async (choose) => {
      const { asking, expectAgreement } = await openConnection(held);
      const answered = await interleave(frames.map(asking), choose);
      const codes = answered.map(codeOf);
      const asked = frames.map(({ type }) => `${type}d`);
      for (const [at, code] of codes.entries()) expect([asked[at], "SUPERSEDED"]).toContain(code);
      expect(codes.some((code, at) => code === asked[at])).toBe(true);
      replies.add(codes.join(" "));
      await expectAgreement();
    });
    expect(count).toBe(orders[i]);
    if (count > 2) expect([...replies].some((it) => it.includes("SUPERSEDED"))).toBe(frames[0] !== frames[1]);
  }
});

test.each([
  SUBSCRIBE.type,
  UNSUBSCRIBE.type,
])("a frame beside $disconnect: in every order nothing is left (%s)", async (type) => {
  const frame = { type, topics: ["a"] };
  let count = 0;
  for (const held of BEFORE) {
    count += await inEveryOrder(async (choose) => {
      const { asking, leaving, expectNothingLeft } = await openConnection(held);
      const [reply] = await interleave<ServerFrame | undefined>([asking(frame), leaving], choose);
      expect([`${frame.type}d`, "CONNECTION_UNKNOWN"]).toContain(codeOf(reply));
      await expectNothingLeft();
    });
  }
  expect(count).toBe(18);
});

test(
  "a frame whose run dies at any step, beside any other: the next frame mends the lists, and $disconnect finds all",
  { timeout: 120_000 },
  async () => {
    let runs = 0;
    for (const { frames } of PAIRS) {
      for (const held of BEFORE) {
        for (const actor of [0, 1]) {
          for (let after = 0; after < 5; after++) {
            await inEveryOrder(async (choose) => {
              const { asking, ask, listed, row, deps, clock, expectAgreement, expectNothingLeft } =
                await openConnection(held);
              await interleave(frames.map(asking), choose, { actor, after });
              const next = ++runs % 2 ? SUBSCRIBE : UNSUBSCRIBE;
              expect(codeOf(await ask(next))).toBe(`${next.type}d`);
              expect(listed().toSorted()).toEqual((await row())?.tags.toSorted());
              // Once the dead run is surely over, a change of anything takes its mark off.
              clock.advance(60_001);
              await ask({ type: "subscribe", topics: ["b"] });
              await expectAgreement();
              await disconnect(deps, SOCKET);
              await expectNothingLeft();
            });
          }
        }
      }
    }
    expect(runs).toBeGreaterThan(1_000);
  },
);

test("a run that dies leaves nothing that $disconnect cannot find", async () => {
  for (const { frames } of PAIRS) {
    for (const held of BEFORE) {
      for (let after = 0; after < 5; after++) {
        await inEveryOrder(async (choose) => {
          const { asking, deps, expectNothingLeft } = await openConnection(held);
          await interleave(frames.map(asking), choose, { actor: 0, after });
          await disconnect(deps, SOCKET);
          await expectNothingLeft();
        });
      }
    }
  }
});

test("three frames of some topics side by side, in any order: the lists end as the row says", async () => {
  const frame = fc.record({
    type: fc.constantFrom("subscribe" as const, "unsubscribe" as const),
    topics: fc.subarray(["a", "b", "c"], { minLength: 1 }),
  });
  const frames = fc.array(frame, { minLength: 3, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(
      frames,
      fc.subarray(["a", "b", "c"]),
      fc.infiniteStream(fc.nat(5)),
      async (all, held, dice) => {
        const { asking, expectAgreement } = await openConnection(held);
        const choose = (of: number) => Number(dice.next().value) % of;
        const replies = await interleave(all.map(asking), choose);
        for (const [i, reply] of replies.entries()) {
          expect([`${all[i]?.type}d`, "SUPERSEDED"]).toContain(codeOf(reply));
        }
        await expectAgreement();
      },
    ),
    { numRuns: 1_000 },
  );
});
