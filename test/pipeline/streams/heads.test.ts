import { expect, test } from "vitest";
import { append } from "../../../shared/pipeline/streams/append.ts";
import { headOf, knownHead } from "../../../shared/pipeline/streams/head.ts";
import { rememberedHeads } from "../../../shared/pipeline/streams/heads.ts";
import type { Tag } from "../../../shared/protocol/tag.ts";
import { memoryClock } from "../../../testing/memory/clock.ts";
import { framesOf, ORDERS, oneStream, RETENTION, RUN, START } from "./support.ts";

test.each([
  { whose: "its own", own: true, age: 0, ago: 0, reads: 0 },
  { whose: "its own", own: true, age: 0, ago: 249, reads: 0 },
  { whose: "its own", own: true, age: 0, ago: 250, reads: 1 },
  { whose: "another's", own: false, age: 199, ago: 0, reads: 1 },
  { whose: "another's", own: false, age: 200, ago: 0, reads: 0 },
])("an append that follows a read of $whose head by $ago ms, which is $age ms old, costs $reads reads", async (given) => {
  const { deps, container, calls, clock } = oneStream();
  await append(given.own ? deps : container(), ORDERS, RETENTION, RUN, framesOf("a"));
  clock.advance(given.age);
  expect(await headOf(deps, ORDERS)).toBe(START);
  clock.advance(given.ago);
  calls.length = 0;
  await append(deps, ORDERS, RETENTION, RUN, framesOf("b"));
  expect(calls.filter((name) => name === "last")).toHaveLength(given.reads);
});

test("a head that was read serves one append", async () => {
  const { deps, container, calls, clock } = oneStream();
  await append(container(), ORDERS, RETENTION, RUN, framesOf("a"));
  clock.advance(200);
  await headOf(deps, ORDERS);
  await append(deps, ORDERS, RETENTION, RUN, framesOf("b"));
  calls.length = 0;
  await append(deps, ORDERS, RETENTION, RUN, framesOf("c"));
  expect(calls).toEqual(["last", "append"]);
});

test("a claim reads no head that the container learnt within the last second", async () => {
  const { deps, container, calls, clock } = oneStream();
  clock.advance(5_000);
  await append(deps, ORDERS, RETENTION, RUN, framesOf("a"));
  await append(container(), ORDERS, RETENTION, RUN, framesOf("b"));
  calls.length = 0;
  clock.advance(999);
  const first = START + 5_000_000;
  expect(await knownHead(deps, ORDERS)).toBe(first);
  expect(calls).toEqual([]);
  clock.advance(1);
  expect(await knownHead(deps, ORDERS)).toBe(first + 1);
  expect(calls).toEqual(["last"]);
});

test("a container remembers a thousand heads, those of which it learnt last", async () => {
  const heads = rememberedHeads(memoryClock());
  const row = { seq: 1, next: 2, messages: ["{}"], at: 0, until: 0, expiresAt: 0 };
  const streams = Array.from({ length: 1_001 }, (_, i) => `topic:${i}` as Tag);
  for (const stream of streams) heads.looked(stream, row);
  expect(streams.filter((stream) => heads.known(stream) === undefined)).toEqual(["topic:0"]);
});

test("a container that remembers heads for a day does not keep their messages: a thousand rows would be 300 MB", async () => {
  const { deps } = oneStream();
  for (const id of ["a", "b"]) await append(deps, ORDERS, RETENTION, RUN, framesOf(id));
  expect(deps.heads.take(ORDERS)).toMatchObject({ next: START + 2, messages: [] });
});
