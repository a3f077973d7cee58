import fc from "fast-check";
import { expect, test } from "vitest";
import { disconnect } from "../../shared/pipeline/socket/socket.ts";
import type { ServerFrame } from "../../shared/protocol/frame.ts";
import type { Tag } from "../../shared/protocol/tag.ts";
import { inEveryOrder, interleave } from "../support/interleave.ts";
import { ANN, type Frame, openConnection, SOCKET, type TokenFrame } from "./side-by-side.ts";

const SUBSCRIBE: Frame = { type: "subscribe", topics: ["a"] };
const UNSUBSCRIBE: Frame = { type: "unsubscribe", topics: ["a"] };

/** What the new token says: the same for longer, no topic but b, or another tag. */
const CLAIMS = [
  {},
  { subscribe: ["b"] },
  { tags: ["region:sz"] as Tag[], exp: ANN.exp - 600 },
] satisfies Partial<typeof ANN>[];

const codeOf = (reply: ServerFrame | undefined) => (reply?.type === "error" ? reply.code : reply?.type);
const doneBy = ({ type }: Frame | TokenFrame) => (type === "token" ? type : `${type}d`);

test.each([
  { frame: SUBSCRIBE, orders: 1_769 },
  { frame: UNSUBSCRIBE, orders: 1_412 },
])("a refresh beside $frame.type: in every order the lists end as the row says, and as long", async ({
  frame,
  orders,
}) => {
  let count = 0;
  for (const claims of CLAIMS) {
    for (const held of [[], ["a"]]) {
      count += await inEveryOrder(async (choose) => {
        const { asking, refresh, row, expectAgreement } = await openConnection(held);
        const frames = [frame, refresh(claims)];
        const codes = (await interleave(frames.map(asking), choose)).map(codeOf);
        for (const [at, code] of codes.entries())
          expect([doneBy(frames[at] ?? frame), "SUPERSEDED"]).toContain(code);
        expect(codes[1]).toBe("token");
        await expectAgreement();
        const found = await row();
        expect(found?.tokenExpiresAt).toBe({ ...ANN, exp: ANN.exp + 600, ...claims }.exp * 1_000);
        if ("subscribe" in claims) expect(found?.tags).not.toContain("topic:a");
        if ("tags" in claims) expect(found?.tags).toContain("region:sz");
      });
    }
  }
  expect(count).toBe(orders);
});

test("two refreshes side by side: in every order the connection lives by one of them, and only that one is confirmed last", async () => {
  const seen = new Set<string>();
  const count = await inEveryOrder(async (choose) => {
    const { asking, refresh, row, expectAgreement } = await openConnection(["a"]);
    const frames = [refresh({ subscribe: ["b"] }), refresh({ exp: ANN.exp + 1_200 })];
    const codes = (await interleave(frames.map(asking), choose)).map(codeOf);
    seen.add(codes.join(" "));
    expect(codes).toContain("token");
    await expectAgreement();
    const found = await row();
    const isFirst = found?.tokenExpiresAt === (ANN.exp + 600) * 1_000;
    expect(found?.subscribe).toEqual(isFirst ? ["b"] : ["*"]);
    expect(codes[isFirst ? 0 : 1]).toBe("token");
    expect(found?.tags).not.toContain("topic:a");
  });
  expect(count).toBeGreaterThan(50);
  expect([...seen].sort()).toEqual(["SUPERSEDED token", "token SUPERSEDED", "token token"]);
});

test("a refresh beside $disconnect: in every order nothing is left", async () => {
  const count = await inEveryOrder(async (choose) => {
    const { asking, refresh, leaving, expectNothingLeft } = await openConnection(["a"]);
    const actors = [asking(refresh({ subscribe: ["b"], tags: ["region:sz"] as Tag[] })), leaving];
    const [reply] = await interleave<ServerFrame | undefined>(actors, choose);
    expect(["token", "CONNECTION_UNKNOWN"]).toContain(codeOf(reply));
    await expectNothingLeft();
  });
  expect(count).toBe(21);
});

test("a refresh whose run dies at any step, beside any other: the same token again mends the lists, and $disconnect finds all", async () => {
  let runs = 0;
  for (const claims of CLAIMS) {
    for (const frame of [SUBSCRIBE, UNSUBSCRIBE]) {
      for (let after = 0; after < 6; after++) {
        await inEveryOrder(async (choose) => {
          const { asking, ask, refresh, clock, deps, expectAgreement, expectNothingLeft } =
            await openConnection(["a"]);
          const again = refresh(claims);
          await interleave([asking(frame), asking(again)], choose, { actor: 1, after });
          clock.advance(60_001);
          expect(codeOf(await ask(again))).toBe("token");
          await expectAgreement();
          runs++;
          await disconnect(deps, SOCKET);
          await expectNothingLeft();
        });
      }
    }
  }
  expect(runs).toBeGreaterThan(300);
});

test("refreshes and frames of some topics, three at once in any order: the lists end as the row says, and as long", async () => {
  const frame = fc.record({
    type: fc.constantFrom("subscribe" as const, "unsubscribe" as const),
    topics: fc.subarray(["a", "b", "c"], { minLength: 1 }),
  });
  const claims = fc.record({
    exp: fc.constantFrom(ANN.exp - 60, ANN.exp, ANN.exp + 60),
    subscribe: fc.subarray(["a", "b", "c"]),
    tags: fc.subarray(["region:gd", "region:sz"] as Tag[]),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(frame, claims), { minLength: 3, maxLength: 3 }),
      fc.subarray(["a", "b", "c"]),
      fc.infiniteStream(fc.nat(5)),
      async (all, held, dice) => {
        const { asking, refresh, row, expectAgreement } = await openConnection(held);
        const frames = all.map((one) => ("topics" in one ? one : refresh(one)));
        const replies = await interleave(frames.map(asking), (of) => Number(dice.next().value) % of);
        for (const [i, reply] of replies.entries()) {
          expect([doneBy(frames[i] ?? SUBSCRIBE), "SUPERSEDED"]).toContain(codeOf(reply));
        }
        await expectAgreement();
        const found = await row();
        const topics = found?.tags.filter((tag) => tag.startsWith("topic:")) ?? [];
        if (!found?.subscribe.includes("*"))
          expect(topics.filter((tag) => !found?.subscribe.includes(tag.slice(6)))).toEqual([]);
      },
    ),
    { numRuns: 1_000 },
  );
});
