import { describe, expect, test } from "vitest";
import { connected, subscribed } from "./support/page.ts";
import { frame, recorded, replyWell, type ServedSocket, world } from "./support/world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe("the rotation before the two-hour cut", () => {
  test.each([
    { part: 0, minutes: 100 },
    { part: 0.999, minutes: 114.985 },
  ])("begins after $minutes min, and opens the second socket before it closes the first", async ({
    part,
    minutes,
  }) => {
    const it = world({ random: () => part });
    const client = it.connect();
    client.subscribe("orders", () => {});
    await it.settle();
    const { of } = recorded(client);
    await it.advance(minutes * MINUTE - 2_000);
    expect(it.sockets).toHaveLength(1);
    let open = 2;
    it.script.onSocket = (socket) => void it.runtime.after(1_000, socket.accept);
    const look = (): void => {
      open = Math.min(open, it.sockets.filter(({ state }) => state === "open").length);
      it.runtime.after(10, look);
    };
    look();
    await it.advance(10_000);
    expect(it.sockets.map(({ state, closedWith }) => [state, closedWith])).toEqual([
      ["closed", 1000],
      ["open", undefined],
    ]);
    expect({ open, peak: it.peak() }).toEqual({ open: 1, peak: 2 });
    expect(of("state")).toEqual([]);
  });

  test("waits for the subscribed of the second, and hands on what both bring once", async () => {
    const { it, got, socket: first } = await connected();
    it.script.onFrame = (socket, sent) => sent["type"] === "ping" && replyWell(socket, sent);
    await it.advance(107.5 * MINUTE + 100);
    const second = it.sockets[1] as ServedSocket;
    expect(second.got).toMatchObject([{ type: "subscribe", topics: ["orders"] }]);
    expect(first.state).toBe("open");
    for (const socket of [first, second, first]) socket.send(frame("orders", undefined, { data: "once" }));
    second.send({ type: "subscribed", topics: ["orders"], ref: 1 });
    first.send(frame("orders", undefined, { id: "late", data: "on its way" }));
    await it.advance(3_000);
    expect(first.closedWith).toBe(1000);
    second.send(frame("orders", undefined, { id: "next", data: "next" }));
    expect(got).toEqual(["once", "on its way", "next"]);
  });

  test("that fails is tried again while the first socket lives, and nobody hears of it", async () => {
    const { it, socket: first, of } = await connected();
    it.script.onSocket = (socket) => socket.refuse();
    await it.advance(110 * MINUTE);
    expect(it.sockets.length).toBeGreaterThan(3);
    expect(first.state).toBe("open");
    it.script.onSocket = (socket) => socket.accept();
    await it.advance(2 * MINUTE);
    expect(first.closedWith).toBe(1000);
    expect(of("state")).toEqual([]);
    expect(it.peak()).toBe(2);
  });

  test("goes on if the first socket is cut meanwhile", async () => {
    const { it, socket: first, of } = await connected();
    it.script.onSocket = () => {};
    await it.advance(108 * MINUTE);
    it.script.onSocket = (socket) => socket.accept();
    first.close(1001);
    expect(of("state")).toMatchObject([{ state: "connecting", reason: { code: "CONNECTION_LOST" } }]);
    await it.advance(2 * MINUTE);
    expect(of("state").at(-1)).toEqual({ state: "connected" });
  });

  test("asks again for what the first socket took with it unanswered", async () => {
    const { it, router, client, got } = await subscribed();
    router.publish("orders");
    await it.settle();
    const replies = it.script.onFrame;
    // What is asked while the second socket is being subscribed is never answered on the first.
    it.script.onSocket = ((accept) => (socket: ServedSocket) => {
      accept(socket);
      it.script.onFrame = (to, sent) => {
        if (to === it.sockets[0]) return;
        if (sent["type"] !== "subscribe") return replies(to, sent);
        last1();
        it.runtime.after(500, () => replies(to, sent));
      };
    })(it.script.onSocket);
    const latest: unknown[] = [];
    const last1 = () => void client.subscribe("orders", ({ seq }) => latest.push(seq), { last: 1 });
    await it.advance(110 * MINUTE);
    expect(it.sockets[0]?.state).toBe("closed");
    expect(latest).toEqual([1001]);
    expect(got).toHaveLength(1);
  });

  test("comes again and again", async () => {
    const { it } = await connected();
    await it.advance(24 * HOUR);
    expect(it.sockets.length).toBeGreaterThanOrEqual(13);
    expect(it.sockets.length).toBeLessThanOrEqual(15);
    expect(it.peak()).toBe(2);
    expect(it.open()).toBe(1);
  });
});
