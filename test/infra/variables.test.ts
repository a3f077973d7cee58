import { describe, expect, test } from "vitest";
import { synth } from "./support.ts";

const since = "2026-12-01T12:00:00Z";

/** Lists of so many patterns and tags. */
const lists = (patterns: number, tags: number, name = "x".repeat(36)) => ({
  streams: Array.from({ length: patterns }, (_, i) => ({
    ...{ topics: `${i}/${"x".repeat(52)}/*`, seconds: 86_400, count: 100_000 },
  })),
  spreadTags: Array.from({ length: tags }, (_, i) => ({
    ...{ tag: `topic:${i}${name}`, hashBits: 5, hashBitsBefore: 4, since },
  })),
});

describe("Lambda takes 4 KB of variables", () => {
  test.each([
    { list: "streams", settings: lists(9, 0) },
    { list: "spreadTags", settings: lists(0, 8) },
  ])("and each list of the settings fits in full: $list", ({ settings }) => {
    expect(() => synth({ settings })).not.toThrow();
  });

  test.each([
    { list: "both are in full", settings: lists(9, 8) },
    { list: "their letters take three bytes", settings: lists(4, 6, "漢".repeat(70)) },
  ])("and what cannot be deployed is refused before, as where $list", ({ settings }) => {
    expect(() => synth({ settings })).toThrow(
      /the variables of consume have at least 4\d\d\d bytes, and Lambda takes 4096: make settings\.streams/,
    );
  });
});
