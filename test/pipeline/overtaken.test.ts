import { describe, expect, test } from "vitest";
import { disconnect } from "../../shared/pipeline/socket/socket.ts";
import { TagwireError } from "../../shared/protocol/errors.ts";
import type { Tag } from "../../shared/protocol/tag.ts";
import { ANN, openConnection, SOCKET } from "./side-by-side.ts";

type Open = Awaited<ReturnType<typeof openConnection>>;
type Frame = Parameters<Open["ask"]>[0];

/** What happens to the connection in the middle of a frame. */
type Meanwhile = (open: Open) => Promise<unknown>;

/** Answers a frame, with something else between its look at the row and the call of `method`. */
async function askWith(
  open: Open,
  method: "change" | "refresh" | "settle",
  meanwhile: Meanwhile,
  frame: Frame,
) {
  const connections = open.deps.connections;
  const call = connections[method] as (...asked: unknown[]) => Promise<unknown>;
  Object.assign(connections, {
    [method]: async (...asked: unknown[]) => {
      Object.assign(connections, { [method]: call });
      await meanwhile(open);
      return call(...asked);
    },
  });
  return open.ask(frame);
}

const subscribe = (...topics: string[]): Frame => ({ type: "subscribe", topics });
const unsubscribe = (...topics: string[]): Frame => ({ type: "unsubscribe", topics });
const close: Meanwhile = ({ deps }) => disconnect(deps, SOCKET);
const refreshed =
  (claims: Partial<typeof ANN>): Meanwhile =>
  ({ ask, refresh }) =>
    ask(refresh(claims));

describe("before its write a frame meets", () => {
  test("a token with other grants: a subscribe is refused, since they were not checked", async () => {
    const open = await openConnection();
    const reply = await askWith(open, "change", refreshed({ subscribe: ["x"] }), subscribe("a", "b"));
    expect(reply).toMatchObject({
      code: "SUPERSEDED",
      detail: "another frame of this socket changed a, b meanwhile",
    });
    await open.expectAgreement();
    expect(open.listed()).not.toContain("topic:a");
  });

  test("a token with other grants: an unsubscribe goes on", async () => {
    const open = await openConnection(["a", "x"]);
    const reply = await askWith(open, "change", refreshed({ subscribe: ["x", "a"] }), unsubscribe("a"));
    expect(reply).toEqual({ type: "unsubscribed", topics: ["a"] });
    expect(open.listed()).toContain("topic:x");
    await open.expectAgreement();
  });

  test("a token with the same grants: a subscribe goes on, with the new end", async () => {
    const open = await openConnection();
    expect(await askWith(open, "change", refreshed({}), subscribe("a"))).toMatchObject({ topics: ["a"] });
    await open.expectAgreement();
  });

  test("a frame that does the same: it has nothing left to do", async () => {
    const open = await openConnection();
    const reply = await askWith(open, "change", ({ ask }) => ask(subscribe("a")), subscribe("a"));
    expect(reply).toEqual({ type: "subscribed", topics: ["a"] });
    await open.expectAgreement();
  });

  test.each([
    ["change", subscribe("a")],
    ["refresh", undefined],
  ] as const)("the end of the connection: it says so, and leaves nothing (%s)", async (method, frame) => {
    const open = await openConnection();
    const reply = await askWith(open, method, close, frame ?? open.refresh());
    expect(reply).toMatchObject({ code: "CONNECTION_UNKNOWN" });
    await open.expectNothingLeft();
  });

  test("a token that comes with another frame's topic: both stand", async () => {
    const open = await openConnection();
    const reply = await askWith(open, "refresh", ({ ask }) => ask(subscribe("a")), open.refresh());
    expect(reply).toMatchObject({ type: "token" });
    expect(open.listed()).toContain("topic:a");
    await open.expectAgreement();
  });
});

describe("before its last look a frame meets", () => {
  test("one that undoes a part of it: that part is superseded", async () => {
    const open = await openConnection();
    const undo: Meanwhile = ({ ask }) => ask(unsubscribe("b"));
    expect(await askWith(open, "settle", undo, subscribe("a", "b"))).toMatchObject({
      code: "SUPERSEDED",
      detail: "another frame of this socket changed b meanwhile",
    });
    expect(open.listed()).toContain("topic:a");
    await open.expectAgreement();
  });

  test("one that subscribes again to what it removed: it is superseded", async () => {
    const open = await openConnection(["a"]);
    const redo: Meanwhile = ({ ask }) => ask(subscribe("a"));
    expect(await askWith(open, "settle", redo, unsubscribe("a"))).toMatchObject({ code: "SUPERSEDED" });
    await open.expectAgreement();
  });

  test.each([
    ["a subscribe", subscribe("a")],
    ["a token", undefined],
  ] as const)("the end of the connection: %s says so, and leaves nothing", async (_, frame) => {
    const open = await openConnection();
    const reply = await askWith(open, "settle", close, frame ?? open.refresh());
    expect(reply).toMatchObject({ code: "CONNECTION_UNKNOWN" });
    await open.expectNothingLeft();
  });

  const both = { tags: ["plan:pro", "region:gd"] as Tag[] };
  test.each([
    { why: "another end", first: {}, second: { exp: ANN.exp + 900 } },
    { why: "other grants", first: {}, second: { subscribe: ["a"] } },
    { why: "one tag less", first: both, second: { tags: ["plan:pro"] as Tag[] } },
    { why: "a tag that it took away", first: { tags: [] }, second: {} },
  ])("a token with $why: it is superseded", async ({ first, second }) => {
    const open = await openConnection();
    const reply = await askWith(open, "settle", refreshed(second), open.refresh(first));
    expect(reply).toMatchObject({
      code: "SUPERSEDED",
      detail: "another frame of this socket refreshed the token meanwhile",
    });
    await open.expectAgreement();
  });

  test("one that leaves a topic which the token grants: the token stands", async () => {
    const open = await openConnection(["a", "b"]);
    const leave: Meanwhile = ({ ask }) => ask(unsubscribe("a"));
    expect(await askWith(open, "settle", leave, open.refresh())).toMatchObject({ type: "token" });
    await open.expectAgreement();
  });
});

test("a token whose write always meets another frame's gives up after 50", async () => {
  const { ask, refresh, deps, expectAgreement } = await openConnection();
  let writes = 0;
  deps.connections.refresh = async () => {
    writes++;
    return undefined;
  };
  await expect(ask(refresh())).rejects.toMatchObject({
    code: "TABLE_UNAVAILABLE",
    message: "50 writes in a row met another frame's",
  });
  expect(writes).toBe(51);
  await expectAgreement();
});

test("a token whose lists could not be written is written again when it comes a second time", async () => {
  const { ask, refresh, deps, expectAgreement, row } = await openConnection(["a"]);
  const { add } = deps.subscriptions;
  deps.subscriptions.add = () => Promise.reject(new TagwireError("TABLE_UNAVAILABLE", "throttled"));
  const frame = refresh();
  await expect(ask(frame)).rejects.toThrow("throttled");
  deps.subscriptions.add = add;
  expect((await row())?.changes).toHaveLength(1);
  await ask(frame);
  // The mark of the first run stays until that is over for sure.
  deps.clock.advance(60_001);
  await ask(frame);
  await expectAgreement();
});

test("a connection that closes when a run could not write its lists leaves nothing in them", async () => {
  const open = await openConnection(["a"]);
  const { remove } = open.deps.subscriptions;
  open.deps.subscriptions.remove = () => Promise.reject(new TagwireError("TABLE_UNAVAILABLE", "throttled"));
  await expect(open.ask(unsubscribe("a"))).rejects.toThrow("throttled");
  open.deps.subscriptions.remove = remove;
  expect((await open.row())?.tags).not.toContain("topic:a");
  expect(open.listed()).toContain("topic:a");
  await close(open);
  await open.expectNothingLeft();
});
