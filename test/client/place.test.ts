import { describe, expect, test } from "vitest";
import { numbers, subscribed } from "./support/page.ts";
import { streamRouter } from "./support/streams.ts";
import { frame, world } from "./support/world.ts";

const MINUTE = 60_000;

describe("a stream", () => {
  test("goes on after a cut where it was, and says that all was recovered", async () => {
    const { it, router, got, of, socket } = await subscribed({ page: 2 });
    router.publish("orders");
    await it.settle();
    socket.close();
    for (let n = 0; n < 5; n += 1) router.publish("orders", { cancelled: n === 2 });
    await it.advance(5_000);
    expect(numbers(got)).toEqual([1001, 1002, 1003, 1005, 1006]);
    expect(of("recovered")).toEqual([{ topic: "orders", since: 1001, position: 1006 }]);
    expect(of("gap")).toEqual([]);
  });

  test("of which too little is kept has a gap", async () => {
    const { it, router, got, of, socket } = await subscribed({ count: 2 });
    socket.close();
    for (let n = 0; n < 5; n += 1) router.publish("orders");
    await it.advance(5_000);
    router.publish("orders");
    await it.settle();
    expect(of("gap")).toEqual([{ topic: "orders", since: 1000, position: 1005 }]);
    expect(of("recovered")).toEqual([]);
    expect(numbers(got)).toEqual([1006]);
  });

  test("with a hole waits for 2 to 4 s, and then fetches what is missing", async () => {
    const { it, router, got, socket } = await subscribed();
    router.members.get(socket)?.delete("orders");
    router.publish("orders");
    router.members.get(socket)?.add("orders");
    router.publish("orders");
    await it.advance(2_000);
    expect(socket.ofType("history")).toEqual([]);
    await it.advance(2_000);
    expect(socket.ofType("history")).toMatchObject([{ topic: "orders", since: 1000 }]);
    expect(numbers(got)).toEqual([1001, 1002]);
  });

  test("whose hole is filled in time fetches nothing", async () => {
    const { it, router, got, socket } = await subscribed({
      late: (() => {
        let n = 0;
        return () => (++n === 2 ? 1_500 : 0);
      })(),
    });
    router.publish("orders");
    router.publish("orders");
    await it.advance(10_000);
    expect(numbers(got)).toEqual([1001, 1002]);
    expect(socket.ofType("history")).toEqual([]);
  });

  test("gives each hole its own time", async () => {
    let wait = 0;
    const { it, router, got, socket } = await subscribed({ late: () => wait });
    const publish = (milliseconds: number) => {
      wait = milliseconds;
      router.publish("orders");
    };
    publish(2_500);
    publish(0);
    await it.advance(2_600);
    publish(1_500);
    publish(0);
    await it.advance(10_000);
    expect(numbers(got)).toEqual([1001, 1002, 1003, 1004]);
    expect(socket.ofType("history")).toEqual([]);
  });

  test("whose history is forbidden has a gap, and goes on", async () => {
    const { it, router, got, of, socket } = await subscribed();
    const replies = it.script.onFrame;
    it.script.onFrame = (to, sent) =>
      sent["type"] === "history"
        ? to.send({ type: "error", code: "TOPIC_FORBIDDEN", detail: "no", ref: sent["ref"] })
        : replies(to, sent);
    router.members.get(socket)?.delete("orders");
    router.publish("orders");
    router.members.get(socket)?.add("orders");
    router.publish("orders");
    await it.advance(10_000);
    expect(of("gap")).toEqual([{ topic: "orders", since: 1000, position: 1001 }]);
    expect(numbers(got)).toEqual([1002]);
  });

  test("whose history cannot be read at the moment is asked again", async () => {
    const { it, router, got, of, socket } = await subscribed();
    const replies = it.script.onFrame;
    let failures = 3;
    it.script.onFrame = (to, sent) =>
      sent["type"] === "history" && failures-- > 0
        ? to.send({ type: "error", code: "TABLE_UNAVAILABLE", detail: "later", ref: sent["ref"] })
        : replies(to, sent);
    router.members.get(socket)?.delete("orders");
    router.publish("orders");
    router.members.get(socket)?.add("orders");
    router.publish("orders");
    await it.advance(MINUTE);
    expect(of("gap")).toEqual([]);
    expect(numbers(got)).toEqual([1001, 1002]);
  });

  test("whose history brings nothing is not asked for ever: it has a gap", async () => {
    const { it, router, got, of, socket } = await subscribed();
    const replies = it.script.onFrame;
    it.script.onFrame = (to, sent) =>
      sent["type"] === "history"
        ? to.send({
            type: "history",
            topic: "orders",
            messages: [],
            position: 1000,
            more: true,
            gap: false,
            ref: sent["ref"],
          })
        : replies(to, sent);
    router.members.get(socket)?.delete("orders");
    router.publish("orders");
    router.members.get(socket)?.add("orders");
    router.publish("orders");
    await it.advance(MINUTE);
    expect(of("gap")).toEqual([{ topic: "orders", since: 1000, position: 1001 }]);
    expect(numbers(got)).toEqual([1002]);
    expect(socket.ofType("history").length).toBeLessThan(10);
  });

  test("whose last message never came is found by the next ping", async () => {
    const { it, router, got, socket } = await subscribed();
    router.members.get(socket)?.delete("orders");
    router.publish("orders");
    await it.advance(9 * MINUTE + 10_000);
    expect(socket.ofType("ping")).toMatchObject([{ positions: { orders: 1000 } }]);
    expect(numbers(got)).toEqual([1001]);
  });

  test("of the user is that of @user", async () => {
    const it = world();
    const router = streamRouter(it);
    const client = it.connect();
    const got: { seq?: number | undefined }[] = [];
    client.receive("user", (message) => got.push(message));
    await it.settle();
    router.publish("@user");
    await it.settle();
    it.sockets[0]?.close();
    router.publish("@user");
    await it.advance(5_000);
    expect(it.sockets[1]?.got).toMatchObject([{ topics: ["@user"], since: { "@user": 1000 } }]);
    expect(numbers(got)).toEqual([1000, 1001]);
    expect(client.positions()).toEqual({ "@user": 1001 });
  });

  test("that nobody wants any more tells nothing, and asks for nothing, whatever is answered of it", async () => {
    const { it, router, client, orders, socket, events } = await subscribed({ count: 2 });
    const replies = it.script.onFrame;
    const held: (() => void)[] = [];
    it.script.onFrame = (to, sent) =>
      sent["type"] === "history" ? held.push(() => replies(to, sent)) : replies(to, sent);
    router.publish("orders");
    await it.settle();
    socket.send(frame("orders", 1_003));
    await it.advance(5_000);
    const all = client.subscribe("orders", () => {}, { last: 2 });
    await it.settle();
    expect(held).toHaveLength(2);
    for (const { unsubscribe } of [orders, all]) unsubscribe();
    await it.settle();
    for (let n = 0; n < 5; n += 1) router.publish("orders");
    held[0]?.();
    socket.send({
      type: "error",
      code: "TABLE_UNAVAILABLE",
      detail: "later",
      ref: socket.got.at(-2)?.["ref"],
    });
    await it.advance(MINUTE);
    expect(events).toEqual([]);
    expect(socket.ofType("history")).toHaveLength(2);
  });

  test("that nobody wants any more is forgotten: who comes later begins anew", async () => {
    const { it, router, client, got, orders, socket } = await subscribed();
    orders.unsubscribe();
    await it.settle();
    expect(client.positions()).toEqual({});
    router.publish("orders");
    client.subscribe("orders", (message) => got.push(message));
    await it.settle();
    expect(socket.ofType("subscribe").at(-1)).not.toHaveProperty("since");
    router.publish("orders");
    await it.settle();
    expect(numbers(got)).toEqual([1002]);
  });
});
