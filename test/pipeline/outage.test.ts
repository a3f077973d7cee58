import { describe, expect, test } from "vitest";
import type { GatewayState, SendResult } from "../../shared/ports.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import { ANN, aMessageOf, consumer, received } from "../support/consumer.ts";
import { NOW } from "../support/message.ts";

const UNAVAILABLE: SendResult = { kind: "unavailable", reason: "503: Service Unavailable" };
const FORBIDDEN: SendResult = { kind: "unavailable", reason: "403: Forbidden", forbidden: true };
const THROTTLED: SendResult = { kind: "throttled", reason: "429: Too Many Requests" };

const names = Array.from({ length: 8 }, (_, i) => `client-${i}`);

/** A consumer with eight connections, to all of which sends end like this as long as the outage lasts. */
async function outage(result: SendResult, state: GatewayState) {
  const under = consumer();
  const ids = await Promise.all(names.map((name) => under.connect(name, "orders")));
  let probes = 0;
  let over = false;
  const { send } = under.sockets;
  under.sockets.send = (id, frame) => (over ? send(id, frame) : Promise.resolve(result));
  under.sockets.probe = async () => {
    probes++;
    return over ? "up" : state;
  };
  const receive = async (id: string, count: number) => {
    under.clock.advance(50_000);
    return under.run([received(aMessageOf(id), count)]);
  };
  return {
    ...under,
    ids,
    receive,
    probes: () => probes,
    end: () => {
      over = true;
    },
  };
}

describe("while the gateway is down", () => {
  test.each([
    { how: "answers 503", result: UNAVAILABLE, state: "down" as const },
    { how: "answers 403, since the policy is not there yet", result: FORBIDDEN, state: "down" as const },
    { how: "has no quota left for this account", result: THROTTLED, state: "throttled" as const },
  ])("and $how, a message waits for it, however long, and costs no dead letter", async (kind) => {
    const { receive, ids, got, state, queue, end } = await outage(kind.result, kind.state);
    for (let count = 1; count <= 100; count++) expect(await receive("one", count)).toHaveLength(1);
    expect(queue.deadLetters).toEqual([]);
    end();
    expect(await receive("one", 101)).toEqual([]);
    expect(ids.map(got)).toEqual(ids.map(() => ["one"]));
    expect(await state("one")).toBe("delivered");
  });

  test("a container claims nothing new, and asks the gateway once a second", async () => {
    const { run, clock, receipts, probes, telemetry } = await outage(UNAVAILABLE, "down");
    expect(await run([received(aMessageOf("one"))])).toHaveLength(1);
    clock.advance(5_000);
    const before = probes();
    for (let ask = 0; ask < 10; ask++) {
      expect(await run([received(aMessageOf(`m-${ask}`))])).toHaveLength(1);
      expect(receipts.rowsOf(ANN, `m-${ask}` as MessageId)).toEqual([]);
      clock.advance(200);
    }
    expect(probes() - before).toBe(2);
    expect(telemetry.total("GatewayDown")).toBe(10);
  });

  test("a message that expires ends as expired", async () => {
    const { run, clock, state } = await outage(UNAVAILABLE, "down");
    const short = aMessageOf("one", { expiresAt: NOW + 60_000 });
    expect(await run([received(short)])).toHaveLength(1);
    clock.advance(60_000);
    expect(await run([received(short, 2)])).toEqual([]);
    expect(await state("one")).toBe("expired");
  });

  test("sends that the stack forbids are counted, so that an alarm can tell", async () => {
    const { run, telemetry } = await outage(FORBIDDEN, "down");
    await run([received(aMessageOf("one"))]);
    expect(telemetry.total("SendsForbidden")).toBeGreaterThan(0);
  });
});

describe("one connection that fails", () => {
  test.each([
    UNAVAILABLE,
    THROTTLED,
  ])("with $reason while the gateway is up costs its message five rounds", async (bad) => {
    const { run, connect, sockets, state, queue, clock } = consumer();
    const bob = await connect("bob", "orders");
    sockets.fail(bob, ...Array<SendResult>(100).fill(bad));
    for (let receive = 1; receive <= 5; receive++) {
      clock.advance(300_000);
      await run([received(aMessageOf("one"), receive)]);
    }
    expect(await state("one")).toBe("dead");
    expect(queue.deadLetters).toHaveLength(1);
  });
});
