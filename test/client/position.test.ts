import { describe, expect, test } from "vitest";
import { numbers, subscribed } from "./support/page.ts";
import { frame, recorded } from "./support/world.ts";

const MINUTE = 60_000;

describe("positions", () => {
  test("are given out after the handler has returned, and a page goes on from them", async () => {
    const { it, router, client, got } = await subscribed();
    const seen: unknown[] = [];
    client.subscribe("orders", () => seen.push(client.positions()["orders"]));
    router.publish("orders");
    await it.settle();
    expect(seen).toEqual([1000]);
    expect(client.positions()).toEqual({ orders: 1001 });
    const kept = client.positions();
    client.close();
    router.publish("orders");
    const next = it.connect({ positions: kept });
    const { of } = recorded(next);
    next.subscribe("orders", (message) => got.push(message), { last: 10 });
    const second: { seq?: number | undefined }[] = [];
    next.subscribe("orders", (message) => second.push(message), { last: 10 });
    await it.settle();
    expect(numbers(got)).toEqual([1001, 1002]);
    expect(numbers(second)).toEqual([1002]);
    expect(of("recovered")).toEqual([{ topic: "orders", since: 1001, position: 1002 }]);
    expect(it.sockets[1]?.ofType("history")).toEqual([]);
  });

  test("of a topic that nobody has asked for yet are given out as they came", async () => {
    const { it } = await subscribed();
    const client = it.connect({ positions: { orders: 1000, later: 42 } });
    client.subscribe("orders", () => {});
    await it.settle();
    expect(client.positions()).toEqual({ orders: 1000, later: 42 });
  });

  test("that are too old end in a gap, and after it the last messages come as after any", async () => {
    const { it, router } = await subscribed({ count: 2 });
    for (let n = 0; n < 5; n += 1) router.publish("orders");
    const client = it.connect({ positions: { orders: 1001 } });
    const { of } = recorded(client);
    const got: { seq?: number | undefined }[] = [];
    client.subscribe("orders", (message) => got.push(message), { last: 1 });
    await it.settle();
    expect(of("gap")).toMatchObject([{ topic: "orders", since: 1001 }]);
    expect(numbers(got)).toEqual([1005]);
  });

  test.each<unknown>([
    ["x"],
    [{}],
    [Number.NaN],
  ])("that are no numbers (%j) end in a gap, and not in silence", async (at) => {
    const { it, router } = await subscribed({ count: 1 });
    router.publish("orders");
    router.publish("orders");
    const client = it.connect({ positions: { orders: at as number } });
    const { of } = recorded(client);
    const got: { seq?: number | undefined }[] = [];
    client.subscribe("orders", (message) => got.push(message));
    await it.settle();
    expect(of("gap")).toMatchObject([{ topic: "orders", since: 0 }]);
    router.publish("orders");
    await it.settle();
    expect(numbers(got).at(-1)).toBe(1003);
    expect(client.positions()).toEqual({ orders: 1003 });
  });

  test("wait for the slowest: a promise of a handler, and the turn of a loop", async () => {
    const { it, router, client } = await subscribed();
    let go = () => {};
    client.subscribe(
      "orders",
      () =>
        new Promise<void>((resolve) => {
          go = resolve;
        }),
    );
    const loop = client.subscribe("orders")[Symbol.asyncIterator]();
    router.publish("orders");
    router.publish("orders");
    await it.settle();
    expect(client.positions()).toEqual({ orders: 1000 });
    await loop.next();
    go();
    await it.settle();
    expect(client.positions()).toEqual({ orders: 1000 });
    await loop.next();
    expect(client.positions()).toEqual({ orders: 1001 });
    void loop.next();
    go();
    await it.settle();
    expect(client.positions()).toEqual({ orders: 1002 });
  });

  test("wait for a message behind one without a number, as it comes while streams are switched on", async () => {
    const { it, router, client, socket } = await subscribed();
    client.subscribe("orders", () => new Promise(() => {}));
    socket.send(frame("orders"));
    router.publish("orders");
    await it.settle();
    expect(client.positions()).toEqual({ orders: 1000 });
  });

  test("inside a reply of many, and in the event of a gap, stand where the handlers stand", async () => {
    const { it, router, client, socket } = await subscribed({ count: 3 });
    const seen: unknown[] = [];
    const look = (what: unknown) => seen.push([what, client.positions()["orders"]]);
    client.subscribe("orders", ({ seq }) => look(seq));
    client.on("gap", () => look("gap"));
    socket.close();
    for (let n = 0; n < 2; n += 1) router.publish("orders");
    await it.advance(5_000);
    it.sockets[1]?.close();
    for (let n = 0; n < 5; n += 1) router.publish("orders");
    await it.advance(5_000);
    expect(seen).toEqual([
      [1001, 1000],
      [1002, 1000],
      ["gap", 1007],
    ]);
  });
});

describe("the last messages", () => {
  test("come first, then what comes, each once", async () => {
    const { it, router, client } = await subscribed({ page: 2 });
    for (let n = 0; n < 6; n += 1) router.publish("orders");
    await it.settle();
    const got: { seq?: number | undefined }[] = [];
    client.subscribe("orders", (message) => got.push(message), { last: 5 });
    router.publish("orders");
    await it.settle();
    router.publish("orders");
    await it.settle();
    expect(numbers(got)).toEqual([1002, 1003, 1004, 1005, 1006, 1007, 1008].slice(-numbers(got).length));
    expect(got.length).toBeGreaterThanOrEqual(6);
  });

  test("of a topic that keeps no stream are none", async () => {
    const { it, router, client } = await subscribed();
    const got: unknown[] = [];
    client.subscribe("plain", ({ data }) => got.push(data), { last: 5 });
    await it.settle();
    router.publish("plain");
    await it.settle();
    expect(got).toHaveLength(1);
  });

  test("come for a subscription that takes the place of another in one step", async () => {
    const { it, router, client, orders } = await subscribed();
    for (let n = 0; n < 3; n += 1) router.publish("orders");
    await it.settle();
    orders.unsubscribe();
    const got: { seq?: number | undefined }[] = [];
    client.subscribe("orders", (message) => got.push(message), { last: 2 });
    await it.settle();
    router.publish("orders");
    await it.settle();
    expect(numbers(got)).toEqual([1002, 1003, 1004]);
  });

  test("are fetched by the next connection, if the first is cut before they came", async () => {
    const { it, router, client, socket } = await subscribed();
    for (let n = 0; n < 3; n += 1) router.publish("orders");
    await it.settle();
    socket.cutSilently();
    const got: { seq?: number | undefined }[] = [];
    client.subscribe("orders", (message) => got.push(message), { last: 2 });
    await it.advance(MINUTE);
    router.publish("orders");
    await it.settle();
    expect(numbers(got)).toEqual([1002, 1003, 1004]);
  });

  test("come again after a gap, as far as they are new: a latest value is never stale", async () => {
    const { it, router, client, socket } = await subscribed({ count: 2 });
    const got: { seq?: number | undefined }[] = [];
    client.subscribe("orders", (message) => got.push(message), { last: 1 });
    await it.settle();
    socket.close();
    for (let n = 0; n < 5; n += 1) router.publish("orders");
    await it.advance(5_000);
    expect(numbers(got)).toEqual([1000, 1005]);
  });

  test.each([
    { why: "all is kept", count: 100, gets: [1001, 1002, 1003, 1004], gaps: [] },
    {
      why: "little is kept",
      count: 2,
      gets: [1003, 1004],
      gaps: [{ topic: "orders", since: 1000, position: 1002 }],
    },
  ])("beyond the position come by their numbers, where $why: none is left out, and none comes twice", async ({
    count,
    gets,
    gaps,
  }) => {
    const { it, router, client, of, socket } = await subscribed({ count });
    // Messages are kept before they are sent: a reply may be sooner than they are.
    router.members.get(socket)?.delete("orders");
    for (let n = 0; n < 3; n += 1) router.publish("orders");
    const got: { seq?: number | undefined }[] = [];
    client.subscribe("orders", (message) => got.push(message), { last: 1 });
    await it.settle();
    router.members.get(socket)?.add("orders");
    router.publish("orders");
    await it.advance(10_000);
    expect(numbers(got)).toEqual(gets);
    expect(of("gap")).toEqual(gaps);
  });

  test("that the router refuses are reported, and what comes is handed on", async () => {
    const { it, router, client, of } = await subscribed();
    const replies = it.script.onFrame;
    it.script.onFrame = (to, sent) =>
      sent["type"] === "history"
        ? to.send({ type: "error", code: "FRAME_INVALID", detail: "/last must be 1-1000", ref: sent["ref"] })
        : replies(to, sent);
    const got: { seq?: number | undefined }[] = [];
    client.subscribe("orders", (message) => got.push(message), { last: 5_000 });
    await it.settle();
    router.publish("orders");
    await it.settle();
    expect(of("error")).toMatchObject([
      { code: "FRAME_INVALID", topic: "orders", message: "/last must be 1-1000" },
    ]);
    expect(numbers(got)).toEqual([1001]);
  });

  test("are not asked for without end of a router that says there are more and sends none", async () => {
    const { it, client, socket } = await subscribed();
    const replies = it.script.onFrame;
    it.script.onFrame = (to, sent) => {
      if (sent["type"] !== "history") return replies(to, sent);
      if (to.ofType("history").length < 10)
        to.send({ type: "history", messages: [], position: 1000, more: true, ref: sent["ref"] });
    };
    client.subscribe("orders", () => {}, { last: 5 });
    await it.settle();
    expect(socket.ofType("history").length).toBeLessThan(10);
  });
});
