import { describe, expect, test } from "vitest";
import { connected } from "./support/page.ts";
import { streamRouter } from "./support/streams.ts";
import { frame, world } from "./support/world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe("signs of life", () => {
  test("in silence a ping goes out before 9 min are over, and not much more often", async () => {
    const { it, socket } = await connected();
    await it.advance(8 * MINUTE);
    expect(socket.ofType("ping")).toEqual([]);
    await it.advance(MINUTE);
    expect(socket.ofType("ping")).toHaveLength(1);
    await it.advance(HOUR);
    expect(socket.ofType("ping").length).toBeLessThanOrEqual(8);
  });

  test("a ping names no more streams than a router takes of one frame", async () => {
    const it = world();
    streamRouter(it);
    const client = it.connect();
    for (let n = 0; n < 250; n += 1) client.subscribe(`t${n}`, () => {});
    await it.advance(9 * MINUTE);
    const [ping] = it.sockets[0]?.ofType("ping") ?? [];
    expect(Object.keys(ping?.["positions"] as object)).toHaveLength(200);
  });

  test("where messages come no ping goes out", async () => {
    const { it, socket } = await connected();
    for (let n = 0; n < 60; n += 1) {
      socket.send(frame("orders", undefined, { id: `m${n}` }));
      await it.advance(MINUTE);
    }
    expect(socket.ofType("ping")).toEqual([]);
  });

  test("a ping without an answer for 5 s is the end of the socket", async () => {
    const { it, socket, of } = await connected();
    socket.cutSilently();
    await it.advance(9 * MINUTE + 5_100);
    expect(of("state")[0]).toMatchObject({ state: "connecting", reason: { code: "NO_ANSWER" } });
    await it.advance(MINUTE);
    expect(of("state").at(-1)).toEqual({ state: "connected" });
  });

  test.each([
    { why: "the network or the page is back", act: (it: ReturnType<typeof world>) => it.wake() },
    { why: "the machine has slept", act: (it: ReturnType<typeof world>) => it.sleep(5 * MINUTE) },
  ])("a half-open socket is found within 5 s once $why", async ({ act }) => {
    const { it, socket, client } = await connected();
    socket.cutSilently();
    await it.advance(2 * MINUTE);
    await act(it);
    expect(client.state).toBe("connected");
    await it.advance(5_100);
    expect(client.state).toBe("connecting");
  });

  test("a socket that answers the probe stays", async () => {
    const { it, socket } = await connected();
    await it.wake();
    await it.wake();
    await it.sleep(5 * MINUTE);
    await it.advance(MINUTE);
    expect(socket.ofType("ping")).toHaveLength(3);
    expect(it.sockets).toHaveLength(1);
  });

  test("late timers of a hidden page cost no probes", async () => {
    const { it, socket } = await connected();
    it.hide(true);
    for (let n = 0; n < 8; n += 1) await it.sleep(MINUTE);
    expect(socket.ofType("ping")).toEqual([]);
  });

  test("the first frame after a long silence waits for a probe, and others do not", async () => {
    const { it, client, socket } = await connected();
    await it.advance(2 * MINUTE);
    client.subscribe("more", () => {});
    client.subscribe("and more", () => {});
    const replies = it.script.onFrame;
    it.script.onFrame = (to, sent) => void it.runtime.after(1_000, () => replies(to, sent));
    await it.advance(900);
    expect(socket.got.slice(1)).toMatchObject([{ type: "ping" }]);
    await it.advance(200);
    expect(socket.got.slice(2)).toMatchObject([{ type: "subscribe", topics: ["more", "and more"] }]);
    client.subscribe("at once", () => {});
    await it.settle();
    expect(socket.ofType("ping")).toHaveLength(1);
  });

  test("a wait for the next try is over once the network or the page is back", async () => {
    const it = world();
    it.script.onSocket = (socket) => socket.refuse();
    it.connect();
    await it.advance(5 * MINUTE);
    const tries = it.sockets.length;
    await it.wake();
    expect(it.sockets).toHaveLength(tries + 1);
  });
});
