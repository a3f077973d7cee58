import fc from "fast-check";
import { expect, test } from "vitest";
import { split } from "../../server/batch.ts";
import { accepting, scripted } from "./support.ts";

const MIB = 1_048_576;

/** Bytes of an array whose items have these bytes. */
const arrayBytes = (items: readonly number[]) =>
  items.reduce((sum, bytes) => sum + bytes, 0) + items.length + 1;

const sizes = fc.array(fc.oneof(fc.integer({ min: 2, max: 2_000 }), fc.integer({ min: 2, max: MIB + 10 })), {
  maxLength: 350,
});

test("ranges follow one another, hold what a request may, and none could take one message more", () => {
  fc.assert(
    fc.property(sizes, (bytes) => {
      const ranges = split(bytes);
      expect(ranges.flatMap(({ from, to }) => bytes.slice(from, to))).toEqual(bytes);
      for (const { from, to } of ranges) {
        const items = bytes.slice(from, to);
        expect(items.length).toBeGreaterThan(0);
        expect(items.length).toBeLessThanOrEqual(100);
        if (items.length > 1) expect(arrayBytes(items)).toBeLessThanOrEqual(MIB);
        const more = bytes.slice(from, to + 1);
        if (more.length > items.length && items.length < 100) expect(arrayBytes(more)).toBeGreaterThan(MIB);
      }
    }),
  );
});

test.each([
  { bytes: [MIB - 2], ranges: 1 },
  { bytes: [MIB / 2 - 2, MIB / 2 - 1], ranges: 1 },
  { bytes: [MIB / 2 - 1, MIB / 2 - 1], ranges: 2 },
  { bytes: [], ranges: 0 },
  { bytes: Array(100).fill(10), ranges: 1 },
  { bytes: Array(101).fill(10), ranges: 2 },
])("at the bounds $bytes.length messages make $ranges requests", ({ bytes, ranges }) => {
  expect(split(bytes)).toHaveLength(ranges);
});

test("bodies on the wire are within the limits, count characters as bytes, and keep the order", async () => {
  const { publisher, asked } = await scripted(accepting);
  const messages = Array.from({ length: 230 }, (_, n) => ({
    id: `m-${n}`,
    target: { topic: "orders" },
    data: "é".repeat(n % 3 === 0 ? 40_000 : 10),
  }));
  const results = await publisher.publishAll(messages);
  expect(results).toEqual(messages.map(({ id }) => ({ id, state: "queued" })));
  for (const { bytes, body } of asked) {
    expect(bytes).toBeLessThanOrEqual(MIB);
    expect((body as unknown[]).length).toBeLessThanOrEqual(100);
  }
  expect(asked.flatMap(({ body }) => body)).toEqual(messages);
  expect(asked).toHaveLength(6);
});

test("a message that no request can carry is refused by itself, and nothing of it is sent", async () => {
  const { publisher, asked } = await scripted(accepting);
  const small = { target: { everyone: true as const }, data: 1 };
  const large = { ...small, id: "large", data: "x".repeat(MIB) };
  const results = await publisher.publishAll([small, large, small]);
  expect(results).toMatchObject([
    { state: "queued" },
    { id: "large", state: "refused", problem: { code: "BODY_TOO_LARGE", status: 413 } },
    { state: "queued" },
  ]);
  expect(asked.every(({ bytes }) => bytes < 1_000)).toBe(true);
  await expect(publisher.publish(large)).rejects.toMatchObject({ code: "BODY_TOO_LARGE" });
});
