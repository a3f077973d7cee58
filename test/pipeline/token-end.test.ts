import { expect, test } from "vitest";
import { answer, connect } from "../../shared/pipeline/socket/socket.ts";
import { TagwireError } from "../../shared/protocol/errors.ts";
import { EVERYONE, type Tag } from "../../shared/protocol/tag.ts";
import { WHOLE } from "../../shared/receipts/hash-range.ts";
import { NOW } from "../support/message.ts";
import { ANN, openConnection, SOCKET } from "./side-by-side.ts";

const EXP = ANN.exp * 1000;
const ORDERS = "topic:orders" as Tag;

async function opened() {
  const connection = await openConnection(["orders"]);
  const { deps, clock } = connection;
  const receivers = async (tag: Tag) => {
    const page = await deps.subscriptions.page(tag, { ...WHOLE, limit: 10, now: clock.now() });
    return page.rows.length;
  };
  const reachable = async () => (await deps.connections.find(SOCKET.connectionId, clock.now())) !== undefined;
  return { ...connection, receivers, reachable };
}

test("until its token ends a connection receives by topic, by everyone and by its id; from then on nothing", async () => {
  const { clock, receivers, reachable } = await opened();
  clock.advance(EXP - NOW - 1_000);
  expect([await receivers(ORDERS), await receivers(EVERYONE), await reachable()]).toEqual([1, 1, true]);
  clock.advance(1_000);
  expect([await receivers(ORDERS), await receivers(EVERYONE), await reachable()]).toEqual([0, 0, false]);
});

test("every frame after the end of the token gets TOKEN_EXPIRED, and adds nothing", async () => {
  const { clock, ask, row } = await opened();
  clock.advance(EXP - NOW);
  const before = await row();
  const frames = [
    { type: "subscribe", topics: ["orders"] },
    { type: "subscribe", topics: ["new"] },
    { type: "unsubscribe", topics: ["orders"] },
    { type: "ping", topics: [] },
  ] as const;
  for (const { type, topics } of frames) {
    const frame = type === "ping" ? ({ type } as never) : { type, topics };
    expect(await ask(frame)).toMatchObject({ type: "error", code: "TOKEN_EXPIRED" });
  }
  expect(await row()).toEqual(before);
});

test("a subscription ends with the token even if it is made in its last second", async () => {
  const { clock, ask, receivers } = await opened();
  clock.advance(EXP - NOW - 1_000);
  expect(await ask({ type: "subscribe", topics: ["late"] })).toMatchObject({ type: "subscribed" });
  expect(await receivers("topic:late" as Tag)).toBe(1);
  clock.advance(1_000);
  expect(await receivers("topic:late" as Tag)).toBe(0);
});

test("a token that outlives the gateway's cut does not outlive it in the tables", async () => {
  const { deps, clock, listed, row, receivers } = await opened();
  await connect(deps, SOCKET, { ...ANN, exp: ANN.exp + 86_400 });
  clock.advance(7_800_000 - 1_000);
  expect([await receivers(EVERYONE), (await row()) !== undefined]).toEqual([1, true]);
  clock.advance(1_000);
  expect([await receivers(EVERYONE), await row()]).toEqual([0, undefined]);
  expect(listed()).toContain(EVERYONE);
});

test("a token that ends at the connect, within the tolerance of its check, opens nothing", async () => {
  const { deps, clock, listed } = await opened();
  clock.advance(EXP - NOW);
  const other = { ...SOCKET, connectionId: "c2=" as typeof SOCKET.connectionId };
  expect(await connect(deps, other, ANN)).toMatchObject({ ok: false, refusal: { code: "TOKEN_EXPIRED" } });
  expect(listed()).toHaveLength(4);
});

test("a ping is answered while the table is away", async () => {
  const { deps } = await openConnection();

  const read = () => Promise.reject(new TagwireError("TABLE_UNAVAILABLE", "away"));
  const away = { ...deps, connections: { ...deps.connections, read } };
  expect(await answer(away, SOCKET.connectionId, '{"type":"ping"}')).toMatchObject({ type: "pong" });
  await expect(
    answer(away, SOCKET.connectionId, '{"type":"subscribe","topics":["a"]}'),
  ).rejects.toMatchObject({ code: "TABLE_UNAVAILABLE" });
});
