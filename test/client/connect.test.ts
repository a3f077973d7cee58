import { describe, expect, test } from "vitest";
import { last, recorded, replyWell, type ServedSocket, world } from "./support/world.ts";

const MINUTE = 60_000;

describe("connecting", () => {
  test("offers the protocol and a fresh token, for each connection anew", async () => {
    const it = world();
    let made = 0;
    it.connect({ token: async () => `a.b.${++made}` });
    await it.settle();
    last(it.sockets).close();
    await it.advance(MINUTE);
    expect(it.sockets.map(({ protocols }) => protocols)).toEqual([
      ["tagwire.v1", "token.a.b.1"],
      ["tagwire.v1", "token.a.b.2"],
    ]);
  });

  test("counts as connected once every topic has been answered", async () => {
    const it = world();
    it.script.onFrame = () => {};
    const client = it.connect();
    client.subscribe("orders", () => {});
    const { of } = recorded(client);
    await it.advance(500);
    expect(client.state).toBe("connecting");
    const [subscribe] = last(it.sockets).ofType("subscribe");
    expect(subscribe).toMatchObject({ topics: ["orders"] });
    replyWell(last(it.sockets), subscribe ?? {});
    expect(client.state).toBe("connected");
    expect(of("state")).toEqual([{ state: "connected" }]);
  });

  test("after a cut waits a random time from the very first try on, and longer each time", async () => {
    const it = world({ random: () => 0.999 });
    it.script.onSocket = (socket) => socket.refuse();
    const client = it.connect();
    const { of } = recorded(client);
    await it.advance(10 * MINUTE);
    const waits = of("state").map(
      ({ retryInMilliseconds = 0 }) => Math.round(retryInMilliseconds / 100) / 10,
    );
    expect(waits.slice(0, 7)).toEqual([1, 2, 4, 8, 16, 20, 20]);
    expect(of("state").every(({ reason }) => reason?.code === "UNREACHABLE")).toBe(true);
  });

  test("the first wait after a cut is spread over a whole second", async () => {
    const waits = await Promise.all(
      [0, 0.25, 0.75].map(async (part) => {
        const it = world({ random: () => part });
        const client = it.connect();
        await it.settle();
        const { of } = recorded(client);
        last(it.sockets).close(1001);
        return of("state")[0]?.retryInMilliseconds;
      }),
    );
    expect(waits).toEqual([0, 250, 750]);
  });

  test("a router that accepts and closes is not hammered: the back-off forgets only after a connection has held", async () => {
    const it = world();
    it.script.onSocket = (socket) => {
      socket.accept();
      it.runtime.after(100, () => socket.close(1011));
    };
    it.connect();
    await it.advance(10 * MINUTE);
    expect(it.sockets.length).toBeLessThan(70);
    it.script.onSocket = (socket) => socket.accept();
    await it.advance(2 * MINUTE);
    const before = it.now();
    last(it.sockets).close();
    await it.advance(MINUTE);
    expect(last(it.sockets).openedAt - before).toBeLessThanOrEqual(1_000);
  });

  test("a router that never answers a handshake is given up after 20 s, and said to be unreachable", async () => {
    const it = world();
    it.script.onSocket = () => {};
    const client = it.connect();
    const { of } = recorded(client);
    await it.advance(20_001);
    expect(of("state")[0]).toMatchObject({ state: "connecting", reason: { code: "UNREACHABLE" } });
    expect(it.open()).toBe(0);
  });

  test.each([
    { why: "rubbish", answer: (socket: ServedSocket) => socket.send("<html>") },
    {
      why: "half answers",
      answer: (socket: ServedSocket, { ref }: Record<string, unknown>) =>
        socket.send({ type: "subscribed", ref }),
    },
    {
      why: "nulls",
      answer: (socket: ServedSocket) =>
        ["null", "[]", "1", '{"type":"message"}', '{"type":7}'].forEach((it) => void socket.send(it)),
    },
    {
      why: "answers of another form",
      answer: (socket: ServedSocket, { ref }: Record<string, unknown>) =>
        socket.send({ type: "subscribed", topics: { a: 1 }, refused: 3, positions: [], messages: "x", ref }),
    },
    { why: "nothing", answer: () => {} },
  ])("a router that answers $why never throws into the page, is never taken for good, and is asked ever less", async ({
    answer,
  }) => {
    const it = world();
    it.script.onFrame = answer;
    const client = it.connect();
    const { of } = recorded(client);
    client.subscribe("orders", () => {});
    await it.advance(10 * MINUTE);
    expect(of("state").filter(({ state }) => state === "connected")).toEqual([]);
    const frames = it.sockets.flatMap(({ got }) => got);
    expect(frames.length).toBeGreaterThan(3);
    expect(frames.length).toBeLessThan(70);
    it.script.onFrame = replyWell;
    await it.advance(2 * MINUTE);
    expect(client.state).toBe("connected");
  });
});
