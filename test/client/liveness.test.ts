import { describe, expect, test } from "vitest";
import { frame, recorded, replyWell, type ServedSocket, world } from "./support/world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

async function connected(options: { token?: () => string } = {}) {
  const it = world();
  const client = it.connect(options);
  const got: unknown[] = [];
  client.subscribe("orders", ({ data }) => got.push(data));
  await it.settle();
  const [socket] = it.sockets as [ServedSocket];
  return { it, client, got, socket, ...recorded(client) };
}

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

  test("comes again and again", async () => {
    const { it } = await connected();
    await it.advance(24 * HOUR);
    expect(it.sockets.length).toBeGreaterThanOrEqual(13);
    expect(it.sockets.length).toBeLessThanOrEqual(15);
    expect(it.peak()).toBe(2);
    expect(it.open()).toBe(1);
  });
});

describe("the token", () => {
  const jwt = (claims: object) => `h.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.s`;
  /** Tokens of an hour, each with its number. */
  const hourly =
    (it: { now(): number }, made: string[] = []) =>
    () => {
      const iat = Math.floor(it.now() / 1000);
      made.push(jwt({ sub: "ä?>", n: made.length, iat, exp: iat + 3_600 }));
      return made.at(-1) as string;
    };

  test("is refreshed in place before it ends", async () => {
    const it = world();
    const made: string[] = [];
    it.connect({ token: hourly(it, made) });
    await it.settle();
    await it.advance(44 * MINUTE);
    expect(it.sockets[0]?.ofType("token")).toEqual([]);
    await it.advance(11 * MINUTE);
    expect(it.sockets[0]?.ofType("token")).toMatchObject([{ token: made[1] }]);
    await it.advance(HOUR * 0.8);
    expect(it.sockets[0]?.ofType("token")).toHaveLength(2);
    expect(it.sockets).toHaveLength(1);
  });

  test.each([
    { why: "is an hour behind", skew: -HOUR },
    { why: "is half a day ahead", skew: 12 * HOUR },
  ])("is refreshed in time where the clock of the page $why", async ({ skew }) => {
    const it = world();
    const token = hourly({ now: () => it.now() - skew });
    it.connect({ token });
    await it.settle();
    await it.advance(54 * MINUTE);
    expect(it.sockets[0]?.ofType("token")).toHaveLength(1);
  });

  test("that is returned near its end again and again is not asked for in a rush", async () => {
    const it = world();
    const exp = it.now() / 1000 + 100;
    let asked = 0;
    it.connect({
      token: () => {
        asked += 1;
        return jwt({ exp, iat: exp - 100 });
      },
    });
    await it.advance(100_000);
    expect(asked).toBeLessThan(20);
  });

  test("that cannot be refreshed is tried again while the old one holds, and said", async () => {
    const it = world();
    const token = hourly(it);
    let isDown = false;
    const client = it.connect({
      token: () => {
        if (isDown) throw new Error("offline");
        return token();
      },
    });
    const { of } = recorded(client);
    await it.settle();
    isDown = true;
    await it.advance(52 * MINUTE);
    expect(of("error")[0]).toMatchObject({ code: "TOKEN_UNAVAILABLE" });
    expect(client.state).toBe("connected");
    isDown = false;
    await it.advance(MINUTE);
    expect(it.sockets[0]?.ofType("token")).toHaveLength(1);
  });

  test("that the router refuses leaves the connection as it is, even where it is said to be expired", async () => {
    const it = world();
    const replies = it.script.onFrame;
    it.script.onFrame = (socket, sent) =>
      sent["type"] === "token"
        ? socket.send({ type: "error", code: "TOKEN_EXPIRED", detail: "it has expired", ref: sent["ref"] })
        : replies(socket, sent);
    const client = it.connect({ token: hourly(it) });
    const { of } = recorded(client);
    await it.advance(55 * MINUTE);
    expect(of("error")[0]).toMatchObject({ code: "TOKEN_EXPIRED" });
    expect(client.state).toBe("connected");
    expect(it.sockets).toHaveLength(1);
  });

  test("that grants less has its topics asked for again, and what is refused is said; what it grants more comes", async () => {
    const it = world();
    let granted = ["a", "b"];
    it.script.onFrame = (socket, { type, topics, ref }) => {
      if (type === "token") socket.send({ type: "token", expiresAt: "", removed: ["topic:a"], ref });
      if (type === "ping") socket.send({ type: "pong", connection: "c", ref });
      if (type !== "subscribe") return;
      const refused = (topics as string[]).filter((name) => !granted.includes(name));
      const details = refused.map((topic) => ({ topic, code: "TOPIC_FORBIDDEN", detail: "no" }));
      socket.send({ type: "subscribed", topics: granted, refused: details, ref });
    };
    const client = it.connect({ token: hourly(it) });
    const { of } = recorded(client);
    for (const name of ["a", "b", "c"]) client.subscribe(name, () => {});
    await it.settle();
    expect(of("error")).toMatchObject([{ topic: "c" }]);
    granted = ["b", "c"];
    await it.advance(55 * MINUTE);
    expect(it.sockets[0]?.ofType("subscribe").map(({ topics }) => topics)).toEqual([
      ["a", "b", "c"],
      ["a", "c"],
    ]);
    expect(of("error").map(({ topic }) => topic)).toEqual(["c", "a"]);
  });

  test("that is null at a refresh closes the client", async () => {
    const it = world();
    const token = hourly(it);
    let isSignedIn = true;
    const client = it.connect({ token: () => (isSignedIn ? token() : null) });
    await it.settle();
    isSignedIn = false;
    await it.advance(55 * MINUTE);
    expect(client.state).toBe("closed");
    expect(it.open()).toBe(0);
    expect(it.timers()).toBe(0);
  });
});
