import { expect, test } from "vitest";
import { busyConnections } from "../../shared/pipeline/deliver/busy-connections.ts";
import type { SendResult } from "../../shared/ports.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";

const ANN = "ann=" as ConnectionId;
const BAD: SendResult = { kind: "throttled", reason: "429" };
const AGE = 1_000;

/** A connection to which sends ended like this, each at once. */
function after(...results: readonly SendResult[]) {
  const busy = busyConnections();
  for (const result of results) {
    busy.onStart(ANN, 0);
    busy.onResult(ANN, result, 0);
  }
  return busy;
}

test.each([
  { of: "nothing yet", results: [], known: undefined },
  { of: "two failures", results: [BAD, BAD], known: undefined },
  { of: "three failures in a row", results: [BAD, BAD, BAD], known: BAD },
  { of: "a success in between", results: [BAD, BAD, { kind: "sent" } as const, BAD], known: undefined },
  {
    of: "a frame that is refused in between",
    results: [BAD, BAD, { kind: "gone" } as const, BAD],
    known: undefined,
  },
])("after $of a connection is asked or known to be busy", ({ results, known }) => {
  expect(after(...results).known(ANN, AGE - 1, AGE)).toEqual(known);
});

test("a busy connection is asked again when its last result is old", () => {
  const busy = after(BAD, BAD, BAD);
  expect(busy.known(ANN, AGE, AGE)).toBeUndefined();
  expect(busy.known(ANN, AGE, 30 * AGE)).toEqual(BAD);
});

test("one send at a time finds out whether a busy connection reads again", () => {
  const busy = after(BAD, BAD, BAD);
  busy.onStart(ANN, AGE);
  expect(busy.known(ANN, AGE, AGE)).toEqual({ kind: "waiting" });
  expect(busy.onResult(ANN, { kind: "sent" }, AGE + 1)).toBe(true);
  expect(busy.known(ANN, AGE + 1, AGE)).toBeUndefined();
});

test("a connection that has not answered for a second is not sent to meanwhile", () => {
  const busy = busyConnections();
  busy.onStart(ANN, 0);
  busy.onStart(ANN, 400);
  expect(busy.known(ANN, 999, AGE)).toBeUndefined();
  expect(busy.known(ANN, 1_000, AGE)).toMatchObject({ kind: "unavailable" });
  expect(busy.onResult(ANN, { kind: "unavailable", reason: "timeout" }, 3_000)).toBe(true);
  expect(busy.known(ANN, 3_999, AGE)).toMatchObject({ reason: "timeout" });
});

test("remembers a bounded number of connections, those that failed last", () => {
  const busy = busyConnections();
  for (let i = 0; i < 20_000; i++) {
    for (let time = 0; time < 3; time++) busy.onResult(`client-${i}=` as ConnectionId, BAD, i);
  }
  expect(busy.known("client-0=" as ConnectionId, 20_000, 1e9)).toBeUndefined();
  expect(busy.known("client-19999=" as ConnectionId, 20_000, 1e9)).toEqual(BAD);
});

test("a result tells whether the connection is busy: from the third failure in a row until the first success", () => {
  const busy = busyConnections();
  const sent = { kind: "sent" } as const;
  const tell = (...results: readonly SendResult[]) => results.map((result) => busy.onResult(ANN, result, 0));
  expect(tell(sent, BAD, sent)).toEqual([false, false, false]);
  expect(tell(BAD, BAD, sent)).toEqual([false, false, false]);
  expect(tell(BAD, BAD, BAD, BAD, sent, sent)).toEqual([false, false, true, true, true, false]);
});

test.each([
  { took: 999, isBusy: false },
  { took: 1_000, isBusy: true },
])("one failure after $took ms makes a connection busy: $isBusy", ({ took, isBusy }) => {
  const busy = busyConnections();
  busy.onStart(ANN, 0);
  expect(busy.onResult(ANN, BAD, took)).toBe(isBusy);
});

test("a send to a connection that does not answer fails with the reason", () => {
  const busy = busyConnections();
  busy.onStart(ANN, 0);
  expect(busy.known(ANN, 5_000, AGE)).toEqual({
    kind: "unavailable",
    reason: "no answer yet to an earlier frame",
  });
});

test("10,000 connections are remembered, and not one more", () => {
  const busy = busyConnections();
  const id = (number: number) => `c${number}=` as ConnectionId;
  const fail = (number: number) => [1, 2, 3].map(() => busy.onResult(id(number), BAD, 0));
  for (let number = 0; number < 10_000; number++) fail(number);
  expect(busy.known(id(0), 1, AGE)).toEqual(BAD);
  fail(10_000);
  expect(busy.known(id(0), 1, AGE)).toBeUndefined();
  expect(busy.known(id(1), 1, AGE)).toEqual(BAD);
});
