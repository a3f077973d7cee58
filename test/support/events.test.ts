import { expect, test } from "vitest";
import { sampleEvents } from "./events.ts";

test("every sample event has a name of its own, that a message may carry", () => {
  const names = sampleEvents().map(({ event }) => event);
  expect(new Set(names).size).toBe(names.length);
  expect(names.every((name) => name.length > 0 && name.length <= 128)).toBe(true);
  expect(names).toEqual(
    expect.arrayContaining(["github.push", "ObjectCreated:Put", "com.example.order.shipped.v1"]),
  );
});
