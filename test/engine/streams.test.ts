import { expect, test } from "vitest";
import { engineStreams } from "../../local/engine/streams.ts";
import type { Tag } from "../../shared/protocol/tag.ts";
import type { StreamRow } from "../../shared/streams/stream.ts";
import { NOW } from "../support/message.ts";
import { slowStore } from "./slow-store.ts";
import { aStore } from "./support.ts";

const STREAM = "topic:orders" as Tag;
const times = { at: NOW, until: NOW + 60_000, expiresAt: NOW + 86_460_000 };
const aRow = (seq: number, run = "run-1", messages: readonly string[] = ["{}"]): StreamRow => ({
  ...{ seq, next: seq + messages.length, messages, run },
  ...times,
});

/** What a promise has come to by now. */
function watched<T>(promise: Promise<T>): { readonly said: T[] } {
  const said: T[] = [];
  promise.then(
    (value) => said.push(value),
    () => {},
  );
  return { said };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

test.each([
  { what: "the head", read: (streams: ReturnType<typeof engineStreams>) => streams.last(STREAM) },
  { what: "a page", read: (streams: ReturnType<typeof engineStreams>) => streams.read(STREAM, 1, 9) },
  {
    what: "the row in the way",
    read: (streams: ReturnType<typeof engineStreams>) => streams.append(STREAM, aRow(5, "b")),
  },
])("$what that a reader gets is on the disk", async ({ read }) => {
  const store = slowStore(await aStore());
  const streams = engineStreams(store);
  const appended = watched(streams.append(STREAM, aRow(5)));
  const seen = watched(read(streams) as Promise<unknown>);
  await turn();
  expect([appended.said, seen.said]).toEqual([[], []]);
  store.flush();
  await turn();
  expect(appended.said).toEqual([undefined]);
  expect(JSON.stringify(seen.said)).toContain('"run":"run-1"');
  expect(store.waiting()).toBe(0);
});

test("a reader of another stream does not wait for it", async () => {
  const store = slowStore(await aStore());
  const streams = engineStreams(store);
  watched(streams.append(STREAM, aRow(5)));
  expect(await streams.last("topic:other" as Tag)).toBeUndefined();
});

test("a row that the disk does not take was never there: who saw it in the way writes its own", async () => {
  const store = slowStore(await aStore());
  const streams = engineStreams(store);
  const first = streams.append(STREAM, aRow(5, "a"));
  const second = watched(streams.append(STREAM, aRow(5, "b")));
  const head = watched(streams.last(STREAM));
  store.lose();
  await expect(first).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  await turn();
  expect(second.said).toEqual([]);
  store.flush();
  await turn();
  expect(second.said).toEqual([undefined]);
  expect(await streams.last(STREAM)).toEqual(aRow(5, "b"));
  expect(head.said).toHaveLength(1);
  expect(head.said).not.toEqual([aRow(5, "a")]);
});

test("names that begin alike are different streams", async () => {
  const streams = engineStreams(await aStore());
  const names = ["user:a", "user:a!", "user:a#0000000000000001", "user:", "user:a0"] as Tag[];
  for (const [i, name] of names.entries()) await streams.append(name, aRow(i + 1));
  for (const [i, name] of names.entries()) {
    expect(await streams.last(name)).toEqual(aRow(i + 1));
    expect((await streams.read(name, 1, 9)).rows).toEqual([aRow(i + 1)]);
  }
});

test("a page of many small rows is whole, and one of large rows is about a megabyte", async () => {
  const streams = engineStreams(await aStore());
  for (let seq = 1; seq <= 100; seq++) await streams.append(STREAM, aRow(seq));
  const small = await streams.read(STREAM, 1, 100);
  expect(small.rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  expect(small.isComplete).toBe(true);
  const large = "user:ann" as Tag;
  for (let seq = 1; seq <= 32; seq++) await streams.append(large, aRow(seq, "r", ["x".repeat(100_000)]));
  const page = await streams.read(large, 1, 32);
  expect(page.rows).toHaveLength(11);
  expect(page.isComplete).toBe(false);
});

test("rows are there after a restart until they expire", async () => {
  const store = await aStore();
  await engineStreams(store).append(STREAM, aRow(5));
  await store.expire(times.expiresAt);
  expect(await engineStreams(store).last(STREAM)).toEqual(aRow(5));
  await store.expire(times.expiresAt + 1);
  expect(await engineStreams(store).last(STREAM)).toBeUndefined();
});
