import { describe, expect, test } from "vitest";
import { recorded, replyWell, world } from "./support/world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

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

  test("that comes too often waits for as long as the router says", async () => {
    const it = world();
    const sentAt: number[] = [];
    it.script.onFrame = (socket, { type, ref }) => {
      if (type === "ping") return replyWell(socket, { type, ref });
      sentAt.push(it.now());
      const detail = "too many changes of topics";
      socket.send({ type: "error", code: "TOO_MANY_FRAMES", detail, retryAfter: 60, ref });
    };
    recorded(it.connect({ token: hourly(it) }));
    await it.advance(53 * MINUTE);
    expect(sentAt.length).toBeGreaterThan(1);
    expect((sentAt[1] ?? 0) - (sentAt[0] ?? 0)).toBeGreaterThanOrEqual(MINUTE);
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

  test("that takes a topic away whose subscription is still to be answered: it is asked for after that", async () => {
    const it = world();
    const client = it.connect({ token: hourly(it) });
    const { of } = recorded(client);
    let isTaken = false;
    const asked: string[] = [];
    it.script.onFrame = (socket, { type, topics, ref }) => {
      if (type === "token") {
        isTaken = true;
        socket.send({ type: "token", expiresAt: "", removed: ["topic:a"], ref });
        client.subscribe("b", () => {});
      }
      if (type !== "subscribe") return replyWell(socket, { type, topics, ref });
      asked.push(`asks ${topics}`);
      const names = topics as string[];
      const refused = isTaken && names.includes("a") ? ["a"] : [];
      const reply = {
        type: "subscribed",
        topics: names.filter((name) => !refused.includes(name)),
        refused: refused.map((topic) => ({ topic, code: "TOPIC_FORBIDDEN", detail: "no" })),
        ref,
      };
      it.runtime.after(isTaken ? 0 : 5_000, () => {
        asked.push(`gets ${topics}`);
        socket.send(reply);
      });
    };
    await it.advance(49 * MINUTE + 29_000);
    client.subscribe("a", () => {});
    await it.advance(MINUTE);
    expect(it.sockets[0]?.ofType("token")).toHaveLength(1);
    expect(asked).toEqual(["asks a", "asks b", "gets b", "gets a", "asks a", "gets a"]);
    expect(of("error")).toMatchObject([{ code: "TOPIC_FORBIDDEN", topic: "a" }]);
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
