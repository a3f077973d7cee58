import { expect, test } from "vitest";
import { type Gateway, gateway, gatewayMemory } from "../../shared/pipeline/deliver/gateway.ts";
import type { GatewayState, SendResult } from "../../shared/ports.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";
import { memoryClock } from "../../testing/memory/clock.ts";

const FRAME = Buffer.from("{}");
const SENT: SendResult = { kind: "sent" };
const BUSY: SendResult = { kind: "throttled", reason: "429" };
const DOWN: SendResult = { kind: "unavailable", reason: "503" };
const id = (name: string) => `${name}=` as ConnectionId;

/** A container whose sends end as a test says, and what it sent and asked. */
function container({
  quota = 1e9,
  answer = (_: ConnectionId): SendResult | Promise<SendResult> => SENT,
} = {}) {
  const clock = memoryClock();
  const calls = { sends: [] as ConnectionId[], probes: 0, at: [] as number[] };
  const plan = { probe: "up" as GatewayState, answer };
  const sockets = {
    async send(to: ConnectionId) {
      calls.sends.push(to);
      calls.at.push(clock.monotonic());
      return plan.answer(to);
    },
    async probe() {
      calls.probes++;
      return plan.probe;
    },
  };
  const memory = gatewayMemory({ quotaRequestsPerSecond: quota, quotaFraction: 1 });
  return { ...gateway(memory, { sockets, clock }), clock, calls, plan };
}

const send = (to: Gateway, name: string, { isLate = false, stop = (): boolean => false } = {}) =>
  to.send(id(name), FRAME, { isLate, stop });

test("a send returns what the gateway answered", async () => {
  const up = container();
  expect(await send(up, "a")).toEqual(SENT);
  up.plan.answer = () => BUSY;
  expect(await send(up, "a")).toEqual(BUSY);
  expect(up.calls.sends).toEqual([id("a"), id("a")]);
});

test("sends above the rate wait for their turn, and the rate is held over the time", async () => {
  const slow = container({ quota: 400 });
  for (let n = 0; n < 125; n++) await send(slow, `c${n}`);
  // A quarter of 400 a second at first, a quarter of a second of which is saved up.
  expect(slow.clock.monotonic()).toBeGreaterThan(900);
  expect(slow.clock.monotonic()).toBeLessThan(1_100);
  expect(slow.calls.sends).toHaveLength(125);
});

test("a send that waits for its turn gives up when it has to stop, and sends nothing", async () => {
  const slow = container({ quota: 40 });
  const sent = [await send(slow, "a"), await send(slow, "b")];
  expect(await send(slow, "c", { stop: () => true })).toBeUndefined();
  expect(sent).toEqual([SENT, SENT]);
  expect(slow.calls.sends).not.toContain(id("c"));
});

test("a send that need not wait is not asked whether to stop", async () => {
  expect(await send(container(), "a", { stop: () => true })).toEqual(SENT);
});

test("a connection that failed three times fails without a call for 30 s, and for 1 s if the send is late", async () => {
  const here = container({ answer: () => BUSY });
  for (let n = 0; n < 3; n++) await send(here, "a");
  expect(here.isBusy(id("a"))).toBe(true);
  expect(await send(here, "a")).toEqual(BUSY);
  expect(here.calls.sends).toHaveLength(3);
  here.clock.advance(1_000);
  here.plan.answer = () => SENT;
  expect(await send(here, "a")).toEqual(BUSY);
  expect(here.calls.sends).toHaveLength(3);
  expect(await send(here, "a", { isLate: true })).toEqual(SENT);
  expect(here.isBusy(id("a"))).toBe(false);
});

test("a connection that failed twice, or that is another one, is sent to", async () => {
  const here = container({ answer: (to) => (to === id("a") ? BUSY : SENT) });
  for (let n = 0; n < 2; n++) await send(here, "a");
  expect(here.isBusy(id("a"))).toBe(false);
  await send(here, "a");
  expect(here.isBusy(id("a"))).toBe(true);
  expect(here.isBusy(id("b"))).toBe(false);
  expect(await send(here, "b")).toEqual(SENT);
});

test("one send at a time probes a busy connection, and the others are told to wait", async () => {
  const here = container({ answer: () => BUSY });
  for (let n = 0; n < 3; n++) await send(here, "a");
  here.clock.advance(30_000);
  let answer = (_: SendResult) => {};
  here.plan.answer = () =>
    new Promise<SendResult>((resolve) => {
      answer = resolve;
    });
  const first = send(here, "a");
  expect(await send(here, "a")).toEqual({ kind: "waiting" });
  expect(here.isBusy(id("a"))).toBe(true);
  answer(SENT);
  expect(await first).toEqual(SENT);
  expect(here.calls.sends).toHaveLength(4);
});

test("the gateway is down when five connections in a row were unavailable, and up again with the first answer", async () => {
  const here = container({ answer: () => DOWN });
  for (const name of ["a", "b", "c", "d"]) await send(here, name);
  expect(here.isDown()).toBe(false);
  await send(here, "e");
  expect(here.isDown()).toBe(true);
  here.plan.probe = "down";
  expect(await here.state()).toBe("down");
  here.plan.answer = () => SENT;
  await send(here, "f");
  expect(here.isDown()).toBe(false);
});

test("a gateway that answered within a second is up without a probe, and afterwards one probe a second tells", async () => {
  const here = container();
  await send(here, "a");
  expect(await here.state()).toBe("up");
  expect(here.calls.probes).toBe(0);
  here.clock.advance(1_000);
  here.plan.probe = "down";
  expect(await here.state()).toBe("down");
  expect(here.isDown()).toBe(true);
  here.plan.probe = "up";
  expect(await here.state()).toBe("down");
  expect(here.calls.probes).toBe(1);
  here.clock.advance(1_000);
  expect(await here.state()).toBe("up");
  expect(here.isDown()).toBe(false);
  expect(here.calls.probes).toBe(2);
});

test("an account that was throttled lately is throttled, without a probe, for a minute", async () => {
  const here = container({ answer: () => BUSY });
  for (let n = 0; n < 20; n++) await send(here, `c${n}`);
  here.clock.advance(500);
  expect(await here.state()).toBe("throttled");
  here.clock.advance(59_000);
  expect(await here.state()).toBe("throttled");
  expect(here.calls.probes).toBe(0);
  here.clock.advance(2_000);
  here.plan.probe = "up";
  expect(await here.state()).toBe("up");
  expect(here.calls.probes).toBe(1);
});

test("a gateway that is down is down, though its account was throttled before", async () => {
  const here = container({ answer: () => BUSY });
  for (let n = 0; n < 20; n++) await send(here, `c${n}`);
  here.clock.advance(500);
  here.plan.answer = () => DOWN;
  here.plan.probe = "down";
  for (let n = 0; n < 5; n++) await send(here, `d${n}`);
  expect(await here.state()).toBe("down");
});
