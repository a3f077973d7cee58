import { describe, expect, test } from "vitest";
import { answer } from "../../shared/pipeline/socket/socket.ts";
import { refuse } from "../../shared/protocol/errors.ts";
import type { Tag, UserId } from "../../shared/protocol/tag.ts";
import { WHOLE } from "../../shared/receipts/hash-range.ts";
import { NOW } from "../support/message.ts";
import { ANN, openConnection, SOCKET } from "./side-by-side.ts";

const at = (seconds: number) => new Date(seconds * 1_000).toISOString();

test("a connection lives on with the end of the new token, in its row and in every list", async () => {
  const { ask, refresh, clock, deps, row, expectAgreement } = await openConnection(["a", "b"]);
  const reply = await ask({ ...refresh({ exp: ANN.exp + 600 }), ref: 7 } as never);
  expect(reply).toEqual({ type: "token", expiresAt: at(ANN.exp + 600), removed: [], ref: 7 });
  await expectAgreement();
  expect(await row()).toMatchObject({
    tokenExpiresAt: (ANN.exp + 600) * 1_000,
    expiresAt: (ANN.exp + 1_200) * 1_000,
  });
  const receivers = async (tag: string) =>
    (await deps.subscriptions.page(tag as Tag, { ...WHOLE, limit: 9, now: clock.now() })).rows.length;
  clock.advance(ANN.exp * 1_000 - NOW + 599_000);
  expect([await receivers("everyone"), await receivers("topic:a")]).toEqual([1, 1]);
  clock.advance(1_000);
  expect([await receivers("everyone"), await receivers("topic:a")]).toEqual([0, 0]);
  expect(await ask({ type: "subscribe", topics: ["c"] })).toMatchObject({ code: "TOKEN_EXPIRED" });
});

test.each([
  {
    why: "a topic that it does not grant",
    held: ["a", "b"],
    claims: { subscribe: ["b"] },
    removed: ["topic:a"],
  },
  { why: "a tag that it does not give", held: [], claims: { tags: [] }, removed: ["region:gd"] },
  {
    why: "a topic that the token before gave as a tag",
    tags: ["topic:x"],
    held: [],
    claims: { tags: [], subscribe: [] },
    removed: ["topic:x"],
  },
  {
    why: "nothing that it still grants, as a tag or by a pattern",
    tags: ["topic:x", "region:gd"],
    held: ["a", "b"],
    claims: { tags: ["topic:b", "region:gd"] as Tag[], subscribe: ["a", "x"] },
    removed: [],
  },
])("$why is removed and named", async ({ held, claims, removed, tags }) => {
  const { ask, refresh, row, listed, expectAgreement } = await openConnection(held);
  if (tags) await ask(refresh({ tags: tags as Tag[] }));
  expect(await ask(refresh(claims as Partial<typeof ANN>))).toMatchObject({ type: "token", removed });
  await expectAgreement();
  const found = await row();
  for (const tag of removed) expect(listed()).not.toContain(tag);
  expect(found?.tags).toEqual(expect.arrayContaining(["everyone", "user:ann", ...(claims.tags ?? [])]));
});

test("new tags of the token are added, and its new grants can be used at once", async () => {
  const { ask, refresh, listed } = await openConnection();
  await ask(refresh({ subscribe: [] }));
  expect(await ask({ type: "subscribe", topics: ["a"] })).toMatchObject({
    refused: [{ code: "TOPIC_FORBIDDEN" }],
  });
  await ask(refresh({ subscribe: ["a"], tags: ["plan:pro"] as Tag[] }));
  expect(await ask({ type: "subscribe", topics: ["a"] })).toMatchObject({ topics: ["a"] });
  expect(listed().toSorted()).toEqual(["everyone", "plan:pro", "topic:a", "user:ann"]);
});

describe("a token that may not stand in for the connection's own is refused, and the old one holds:", () => {
  test.each([
    {
      ...{ why: "another user's", claims: { sub: "bob" as UserId }, code: "TOKEN_USER_DIFFERS" },
      detail: "the token's sub is not the connection's user",
    },
    {
      ...{ why: "one that has ended", claims: { exp: NOW / 1_000 }, code: "TOKEN_INVALID" },
      detail: "the new token has expired",
    },
    {
      why: "one with more tags than a connection may hold",
      claims: { tags: Array.from({ length: 199 }, (_, i) => `t:${i}` as Tag) },
      code: "TOO_MANY_TOPICS",
      detail: "a connection holds at most 200 tags",
    },
  ])("$why", async ({ claims, code, detail }) => {
    const { ask, refresh, row, expectAgreement } = await openConnection(["a"]);
    const before = await row();
    const reply = await ask(refresh(claims));
    expect(reply).toMatchObject({ type: "error", code, detail: expect.stringContaining(detail) });
    expect(await row()).toEqual(before);
    await expectAgreement();
  });

  test.each([
    { refusal: refuse("TOKEN_INVALID", "the signature is wrong"), says: "the signature is wrong; the" },
    { refusal: refuse("TOKEN_EXPIRED", "it ended"), says: "the new token has expired; the" },
  ])("one that is not good: $refusal.refusal.code is answered with TOKEN_INVALID", async ({
    refusal,
    says,
  }) => {
    const { ask, row, deps } = await openConnection(["a"]);
    const before = await row();
    deps.tokens.verify = async () => refusal;
    const reply = await ask({ type: "token", token: "bad" });
    const detail = `${says} connection's own token holds until ${at(ANN.exp)}`;
    expect(reply).toMatchObject({ type: "error", code: "TOKEN_INVALID", detail });
    expect(await row()).toEqual(before);
  });

  test.each([
    { frame: { type: "token" }, pointer: "/token" },
    { frame: { type: "token", token: 7 }, pointer: "/token" },
    { frame: { type: "token", token: "" }, pointer: "/token" },
    { frame: { type: "token", token: "secret", tokens: "x" }, pointer: "/tokens" },
  ])("none at all: $frame", async ({ frame, pointer }) => {
    const { ask, row } = await openConnection();
    const before = await row();
    const reply = await ask(frame as never);
    expect(reply).toMatchObject({ type: "error", code: "FRAME_INVALID", errors: [{ pointer }] });
    expect(JSON.stringify(reply)).not.toContain("secret");
    expect(await row()).toEqual(before);
  });
});

test.each([
  { what: "one tag more", tags: ["region:gd", "plan:pro"] },
  { what: "one tag less", tags: [] },
  { what: "another tag", tags: ["plan:pro"] },
])("a token that differs from the one before by $what alone is written", async ({ tags }) => {
  const { ask, refresh, listed, expectAgreement } = await openConnection();
  await ask(refresh());
  await ask(refresh({ tags: tags as Tag[] }));
  expect(listed().toSorted()).toEqual(["everyone", "user:ann", ...tags].toSorted());
  await expectAgreement();
});

test("a token may give as many tags as a connection holds: 200 with its user and everyone", async () => {
  const { ask, refresh, listed } = await openConnection();
  const tags = Array.from({ length: 198 }, (_, i) => `t:${i}` as Tag);
  expect(await ask(refresh({ tags }))).toMatchObject({ type: "token", removed: ["region:gd"] });
  expect(listed()).toHaveLength(200);
});

test("the same token a second time costs no write", async () => {
  const { ask, refresh, deps } = await openConnection(["a"]);
  const frame = refresh();
  const first = await ask(frame);
  const never = () => Promise.reject(new Error("written"));
  const connections = { ...deps.connections, refresh: never, settle: never };
  const again = await answer({ ...deps, connections }, SOCKET.connectionId, JSON.stringify(frame));
  expect(again).toEqual(first);
});

test("refreshes are charged to the budget of changes by the list rows that they write", async () => {
  const topics = Array.from({ length: 196 }, (_, i) => `t${i}`);
  const { ask, refresh, clock } = await openConnection();
  for (let i = 0; i < 4; i++) await ask({ type: "subscribe", topics: topics.slice(i * 49, (i + 1) * 49) });
  const refreshes = async () => {
    for (let exp = ANN.exp + 1; ; exp++) {
      const reply = await ask(refresh({ exp }));
      if (reply.type === "error") return { reply, made: exp - ANN.exp - 1 };
    }
  };
  // 1,000 at once: 196 topics, and 199 list rows a refresh.
  const { reply, made } = await refreshes();
  expect(made).toBe(4);
  expect(reply).toMatchObject({
    code: "TOO_MANY_FRAMES",
    detail: expect.stringContaining("too many changes of topics"),
    retryAfter: expect.any(Number),
  });
  clock.advance(100_000);
  expect(await ask(refresh({ exp: ANN.exp + 99 }))).toMatchObject({ type: "token" });
});
