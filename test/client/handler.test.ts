import { describe, expect, test } from "vitest";
import { frame, last, recorded, world } from "./support/world.ts";

const _MINUTE = 60_000;

describe("handlers", () => {
  const connected = async () => {
    const it = world();
    const client = it.connect();
    const seen = recorded(client);
    await it.settle();
    return { it, client, ...seen, socket: last(it.sockets) };
  };

  test("that throw are reported, and break no other", async () => {
    const { it, client, of, socket } = await connected();
    const got: unknown[] = [];
    const fault = new Error("mine");
    client.subscribe("orders", () => {
      throw fault;
    });
    client.subscribe("orders", async () => {
      throw fault;
    });
    client.subscribe("orders", ({ data }) => got.push(data));
    client.on("error", () => {
      throw fault;
    });
    const silent = console.error;
    console.error = () => {};
    await it.settle();
    for (const n of [1, 2]) socket.send(frame("orders", undefined, { id: `m${n}`, data: n }));
    await it.settle();
    console.error = silent;
    expect(got).toEqual([1, 2]);
    expect(of("error")).toHaveLength(4);
    expect(of("error")[0]).toMatchObject({ code: "HANDLER_FAILED", topic: "orders", cause: fault });
  });

  test.each([
    {
      how: "throws",
      handler: (fault: unknown) => () => {
        throw fault;
      },
    },
    { how: "rejects", handler: (fault: unknown) => () => Promise.reject(fault) },
  ])("one that $how with what has no text gets its next message", async ({ handler }) => {
    const { it, client, of, socket } = await connected();
    const cause = Object.create(null) as object;
    client.subscribe("orders", handler(cause));
    await it.settle();
    for (const n of [1, 2]) {
      socket.send(frame("orders", undefined, { id: `m${n}` }));
      await it.settle();
    }
    expect(of("error").map((error) => error.cause === cause)).toEqual([true, true]);
  });

  test("a failure that nobody listens for goes to the console", async () => {
    const it = world();
    const client = it.connect();
    client.subscribe("orders", () => {
      throw new Error("mine");
    });
    await it.settle();
    const told: unknown[] = [];
    const silent = console.error;
    console.error = (fault) => told.push(fault);
    last(it.sockets).send(frame("orders"));
    console.error = silent;
    expect(told).toMatchObject([{ code: "HANDLER_FAILED" }]);
  });

  test("get what is for the user, for everyone, for the connection and for its tags, without a subscription", async () => {
    const { it, client, socket } = await connected();
    const got: string[] = [];
    for (const to of ["everyone", "connection", "tags"] as const) client.receive(to, () => got.push(to));
    await it.settle();
    expect(socket.got).toEqual([]);
    for (const to of ["everyone", "connection", "tags"])
      socket.send({ type: "message", id: to, to, data: 1, time: "2026-01-31T12:00:00.000Z" });
    expect(got).toEqual(["everyone", "connection", "tags"]);
  });

  test("the user's messages are asked for as @user, and come without a stream too", async () => {
    const { it, client, socket, of } = await connected();
    it.script.onFrame = (to, { ref }) =>
      to.send({
        type: "subscribed",
        topics: [],
        refused: [{ topic: "@user", code: "TOPIC_INVALID", detail: "" }],
        ref,
      });
    const got: unknown[] = [];
    client.receive("user", ({ data }) => got.push(data), { last: 2 });
    const mine = (id: string) => ({
      type: "message",
      id,
      to: "user",
      data: id,
      time: "2026-01-31T12:00:00.000Z",
    });
    await it.advance(0);
    socket.send(mine("early"));
    await it.settle();
    expect(socket.got).toMatchObject([{ type: "subscribe", topics: ["@user"] }]);
    socket.send(mine("late"));
    expect(got).toEqual(["early", "late"]);
    expect(of("error")).toEqual([]);
  });

  test("a message that is repeated is handed on once, and one of the same id and another time is another", async () => {
    const { it, client, socket } = await connected();
    const got: unknown[] = [];
    client.subscribe("orders", ({ data }) => got.push(data));
    await it.settle();
    for (const data of [1, 2]) socket.send(frame("orders", undefined, { data }));
    socket.send(frame("orders", undefined, { data: 3, time: "2026-01-31T12:09:00.000Z" }));
    expect(got).toEqual([1, 3]);
  });

  test("a loop gets what came before it asked, in order, and ends with its break", async () => {
    const { it, client, socket } = await connected();
    const orders = client.subscribe("orders");
    await it.settle();
    for (const n of [1, 2, 3]) socket.send(frame("orders", undefined, { id: `m${n}`, data: n }));
    const got: unknown[] = [];
    for await (const { data } of orders) {
      got.push(data);
      if (data === 2) break;
    }
    expect(got).toEqual([1, 2]);
    await it.settle();
    expect(socket.got.at(-1)).toMatchObject({ type: "unsubscribe" });
  });

  test("a loop that asks twice gets two messages", async () => {
    const { it, client, socket } = await connected();
    const orders = client.subscribe("orders")[Symbol.asyncIterator]();
    await it.settle();
    const got: unknown[] = [];
    for (let n = 0; n < 2; n += 1) void orders.next().then(({ value }) => got.push(value?.data));
    for (const n of [1, 2]) socket.send(frame("orders", undefined, { id: `m${n}`, data: n }));
    await it.settle();
    expect(got).toEqual([1, 2]);
  });

  test("a listener that ends, and one that begins while an event is told, do not hear of it", async () => {
    const { client } = await connected();
    const told: string[] = [];
    const once = () => {
      const end = client.on("state", ({ state }) => {
        end();
        endOther();
        told.push(state);
        if (told.length < 9) once();
      });
    };
    let endOther = () => {};
    once();
    endOther = client.on("state", () => told.push("other"));
    client.close();
    expect(told).toEqual(["closed"]);
  });

  test("a handler that is busy gets the next message after it", async () => {
    const { it, client, socket } = await connected();
    const got: string[] = [];
    let go = () => {};
    client.subscribe("orders", async ({ data }) => {
      got.push(`begin ${data}`);
      await new Promise<void>((resolve) => {
        go = resolve;
      });
      got.push(`end ${data}`);
    });
    await it.settle();
    for (const n of [1, 2]) socket.send(frame("orders", undefined, { id: `m${n}`, data: n }));
    expect(got).toEqual(["begin 1"]);
    go();
    await it.settle();
    expect(got).toEqual(["begin 1", "end 1", "begin 2"]);
  });

  test("the connection's id is asked for", async () => {
    const { it, client } = await connected();
    const id = client.connectionId();
    await it.settle();
    expect(await id).toBe("c1");
    client.close();
    expect(await client.connectionId()).toBeUndefined();
  });
});
