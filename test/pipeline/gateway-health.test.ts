import { expect, test } from "vitest";
import { gatewayHealth } from "../../shared/pipeline/deliver/gateway-health.ts";
import type { GatewayState, SendResult } from "../../shared/ports.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";

const id = (number: number) => `client-${number}=` as ConnectionId;
const SENT: SendResult = { kind: "sent" };
const DOWN: SendResult = { kind: "unavailable", reason: "503" };
const THROTTLED: SendResult = { kind: "throttled", reason: "429" };

/** The health after sends ended like this, one to each connection, and a probe that is counted. */
function after(results: readonly SendResult[], answer: GatewayState = "down") {
  const health = gatewayHealth();
  for (const [number, result] of results.entries()) health.onResult(id(number), result, 0);
  let probes = 0;
  const stateAt = (now: number) =>
    health.state(
      async () => {
        probes++;
        return answer;
      },
      () => now,
    );
  return { health, stateAt, probes: () => probes };
}

test.each([
  { of: "nothing", results: [], down: false },
  { of: "four distinct connections without an answer", results: Array(4).fill(DOWN), down: false },
  { of: "five in a row", results: Array(5).fill(DOWN), down: true },
  { of: "five with a success in between", results: [DOWN, DOWN, SENT, DOWN, DOWN, DOWN], down: false },
  {
    of: "five with one that is gone in between",
    results: [DOWN, DOWN, { kind: "gone" }, DOWN, DOWN, DOWN],
    down: false,
  },
  {
    of: "an answer that the quota is used up",
    results: [DOWN, DOWN, DOWN, DOWN, THROTTLED, DOWN],
    down: false,
  },
] as { of: string; results: SendResult[]; down: boolean }[])("after $of it is down: $down", ({
  results,
  down,
}) => {
  expect(after(results).health.isDown()).toBe(down);
});

test("one connection that fails again and again does not make the gateway down", () => {
  const health = gatewayHealth();
  for (let time = 0; time < 100; time++) health.onResult(id(1), DOWN, time);
  expect(health.isDown()).toBe(false);
});

test("sends that are answered tell that it is up, without a probe", async () => {
  const { stateAt, probes } = after([SENT, SENT, DOWN, SENT]);
  expect(await stateAt(999)).toBe("up");
  expect(probes()).toBe(0);
});

test.each([
  { why: "nothing was sent for a second", results: [SENT], at: 1_000 },
  { why: "most sends fail", results: [SENT, ...Array(10).fill(THROTTLED)], at: 0 },
  { why: "five in a row failed", results: Array(5).fill(DOWN), at: 0 },
] as { why: string; results: SendResult[]; at: number }[])("a probe tells when $why", async ({
  results,
  at,
}) => {
  const { stateAt, probes } = after(results, "throttled");
  expect(await stateAt(at)).toBe("throttled");
  expect(probes()).toBe(1);
});

test("there is one probe a second, whoever asks", async () => {
  const { stateAt, probes } = after(Array(5).fill(DOWN));
  const asked = [0, 1, 500, 999].map(stateAt);
  expect(new Set(await Promise.all(asked))).toEqual(new Set(["down"]));
  expect(probes()).toBe(1);
  await stateAt(1_000);
  expect(probes()).toBe(2);
});

test("a probe that is answered ends the outage", async () => {
  const { health, stateAt } = after(Array(5).fill(DOWN), "up");
  expect(await stateAt(0)).toBe("up");
  expect(health.isDown()).toBe(false);
});

test("a result is valid for a second, at any time of the clock, and so is a probe", async () => {
  const { health, stateAt, probes } = after([]);
  health.onResult(id(1), SENT, 50_000);
  expect(await stateAt(50_999)).toBe("up");
  expect(probes()).toBe(0);
  expect(await stateAt(51_000)).toBe("down");
  expect(await stateAt(51_999)).toBe("down");
  expect(probes()).toBe(1);
  await stateAt(52_000);
  expect(probes()).toBe(2);
});

test("a probe that found it up starts the count of failing connections anew", async () => {
  const { health, stateAt } = after(Array(4).fill(DOWN), "up");
  expect(await stateAt(1_000)).toBe("up");
  for (const number of [10, 11, 12, 13]) health.onResult(id(number), DOWN, 1_001);
  expect(health.isDown()).toBe(false);
  health.onResult(id(14), DOWN, 1_001);
  expect(health.isDown()).toBe(true);
});

test("sends of one connection that get no answer are no sign that it is up", async () => {
  const { health, stateAt, probes } = after([SENT], "down");
  for (let time = 0; time < 10; time++) health.onResult(id(1), DOWN, 0);
  expect(health.isDown()).toBe(false);
  expect(await stateAt(0)).toBe("down");
  expect(probes()).toBe(1);
  expect(health.isDown()).toBe(true);
});
