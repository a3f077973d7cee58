import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TagwireError } from "../../shared/protocol/errors.ts";
import type { SettingsOverrides } from "../../shared/settings/schema.ts";
import { DEFAULTS, settings } from "../../shared/settings/settings.ts";
import { at, beside, groups, type Leaf, leaves, only } from "./leaf.ts";

/** What settings are refused with; nothing if they are accepted. */
function refusal(input: unknown): { code: string; message: string } | undefined {
  try {
    settings(input as SettingsOverrides);
    return undefined;
  } catch (fault) {
    const { code, message } = fault as TagwireError;
    return { code, message };
  }
}

const named = (path: readonly string[]) => ["settings", ...path].join(".");

const invalid = (path: readonly string[], rest: string) => ({
  code: "SETTINGS_INVALID",
  message: `${named(path)} ${rest}`,
});

const rangeOf = ({ whole, least, most }: Leaf) =>
  `must be a ${whole ? "whole number" : "number"} of ${least}-${most}`;
const each = leaves.map((leaf) => ({ leaf, name: leaf.path.join(".") }));
const withDefault = each.filter(({ leaf }) => !leaf.isRequired);
const needed = each.filter(({ leaf }) => leaf.isRequired);
const numbers = each.filter(({ leaf }) => leaf.type === "number");

/** What JavaScript and JSON have beside numbers and booleans. */
const oddValue = fc.oneof(
  fc.string(),
  fc.constant(null),
  fc.object(),
  fc.array(fc.integer()),
  fc.constantFrom(Number.NaN, 1n, Symbol.iterator, () => 1, new Date(0), new Map()),
);

test("there are as many settings as the schema is known to have, and fifteen names stand beside advanced", () => {
  expect(leaves).toHaveLength(67);
  expect(needed).toHaveLength(9);
  expect(groups[0]?.names).toHaveLength(16);
});

const TEXTS: Readonly<Record<string, string>> = {
  "a topic or a pattern": "must be a topic or a pattern such as orders/*",
  "1-64 of `A-Z a-z 0-9 . _ -`": "must be 1-64 of A-Z a-z 0-9 . _ -",
  "a tag": "must be everyone or a tag: name:value",
  "a time": "must be a time in UTC as in 2026-01-01T12:00:00Z",
};

const MUST: Readonly<Record<Leaf["type"], (leaf: Leaf) => string>> = {
  number: rangeOf,
  boolean: () => "must be true or false",
  string: ({ unit = "" }) => TEXTS[unit] ?? "",
};

describe.each(withDefault)("$name", ({ leaf }) => {
  test("has a default in its range", () => {
    expect(at(DEFAULTS, leaf.path)).toBe(leaf.fallback);
    if (typeof leaf.fallback === "number") {
      expect(leaf.fallback).toBeGreaterThanOrEqual(leaf.least);
      expect(leaf.fallback).toBeLessThanOrEqual(leaf.most);
    }
  });

  test("is its default if it is undefined", () => {
    expect(at(settings(only(leaf.path, undefined) as SettingsOverrides), leaf.path)).toBe(leaf.fallback);
  });
});

test.each(needed)("$name has to be given", ({ leaf }) => {
  const { [leaf.path.at(-1) ?? ""]: _, ...rest } = at(only(leaf.path, 1), leaf.path.slice(0, -1)) as Record<
    string,
    unknown
  >;
  const found = refusal(only(leaf.path.slice(0, -1), rest));
  expect(found).toEqual(invalid(leaf.path, "is missing"));
});

describe.each(each)("$name", ({ leaf }) => {
  test("has a description and, unless it is a flag, a unit", () => {
    expect(leaf.description).toMatch(/^[A-Z].*\.$/);
    expect(leaf.unit === undefined).toBe(leaf.type === "boolean");
  });

  test("is refused by its path if its type is another", () => {
    const strays = leaf.type === "number" ? fc.boolean() : fc.double();
    fc.assert(
      fc.property(fc.oneof(oddValue, strays), (value) => {
        fc.pre(typeof value !== leaf.type || typeof value === "number");
        const found = refusal(only(leaf.path, value));
        expect(found?.code).toBe("SETTINGS_INVALID");
        expect(found?.message.startsWith(`${named(leaf.path)} ${MUST[leaf.type](leaf)}`)).toBe(true);
        expect(found?.message).not.toContain("; settings.");
      }),
    );
  });
});

describe.each(numbers)("$name", ({ leaf }) => {
  const { path, least, most } = leaf;

  test("is refused by its path out of its range, on both sides, from the first value on", () => {
    const step = leaf.whole ? 1 : 0.001;
    const outside = fc.oneof(
      fc.constantFrom(least - step, most + step, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY),
      leaf.whole ? fc.integer({ max: least - 1 }) : fc.double({ max: least, noNaN: true, maxExcluded: true }),
      leaf.whole
        ? fc.integer({ min: most + 1, max: Number.MAX_SAFE_INTEGER })
        : fc.double({ min: most, noNaN: true, minExcluded: true }),
    );
    fc.assert(
      fc.property(outside, (value) => {
        expect(refusal(only(path, value))).toEqual(invalid(path, `${rangeOf(leaf)}, got ${value}`));
      }),
    );
  });

  test("is taken in its range, or breaks a rule that names it", () => {
    const inside = leaf.whole
      ? fc.integer({ min: least, max: most })
      : fc.double({ min: least, max: most, noNaN: true });
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom(least, most), inside), (value) => {
        const found = refusal(only(path, value));
        if (found === undefined) {
          expect(at(settings(only(path, value) as SettingsOverrides), path)).toBe(value);
          return;
        }
        expect(found.code).toBe("SETTINGS_INVALID");
        for (const rule of found.message.split("; ")) {
          expect(rule).toContain(named(path));
          expect(rule).toMatch(/ must be (less than|at most) /);
        }
      }),
    );
  });
});

test.each(
  numbers.filter(({ leaf }) => leaf.whole),
)("$name is refused by its path if it is not whole, and only once if it is out of range too", ({ leaf }) => {
  const { path, least, most } = leaf;
  const fractional = fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Number.isInteger(n));
  fc.assert(
    fc.property(fc.oneof(fractional, fc.constantFrom(least + 0.5, most + 0.5)), (value) => {
      expect(refusal(only(path, value))).toEqual(invalid(path, `${rangeOf(leaf)}, got ${value}`));
    }),
  );
});

describe.each(groups.map((group) => ({ ...group, name: named(group.path) })))("$name", ({ path, names }) => {
  test("refuses a name that it does not have", () => {
    const misspelt = fc.oneof(
      fc
        .constantFrom(...names)
        .chain((name) => fc.constantFrom(`${name}s`, name.slice(1), name.toUpperCase(), `${name} `)),
      fc.constantFrom("toString", "constructor", "__proto__", "hasOwnProperty", ""),
      fc.string(),
    );
    fc.assert(
      fc.property(misspelt, fc.anything(), (name, value) => {
        fc.pre(!names.includes(name));
        const wrong = Object.defineProperty({ ...beside(path) }, name, { value, enumerable: true });
        expect(refusal(only(path, wrong))).toEqual(
          invalid([...path, name], `is not a setting: ${named(path)} has ${names.join(", ")}`),
        );
      }),
    );
  });

  test.each([
    { what: "null", value: null },
    { what: "an array", value: [] },
    { what: "a number", value: 1 },
    { what: "a map", value: new Map([["concurrency", 2]]) },
    { what: "a date", value: new Date(0) },
  ])("refuses $what in its place", ({ value }) => {
    const found = refusal(path.length === 0 ? value : only(path, value));
    expect(found?.code).toBe("SETTINGS_INVALID");
    expect(found?.message.startsWith(`${named(path)} must be an object, got `)).toBe(true);
  });
});

test("every fault is named at once", () => {
  const broken = {
    lanes: { high: { concurency: 1 }, low: { concurrency: 1.5 } },
    retentionDays: "4",
    colour: 1,
  };
  expect(refusal(broken)?.message.split("; ").sort()).toEqual([
    "settings.colour is not a setting: settings has lanes, retentionDays, deadLetterRetentionDays, " +
      "receiptRetentionDays, failureReceiptsOnly, fairQueues, detailedLog, quotaRequestsPerSecond, quotaName, " +
      "quotaFraction, recipientsPerRun, deliveryRounds, streams, userStreams, spreadTags, advanced",
    "settings.lanes.high.concurency is not a setting: settings.lanes.high has concurrency, backlogLimitMessages",
    "settings.lanes.low.concurrency must be a whole number of 2-1000, got 1.5",
    'settings.retentionDays must be a whole number of 1-14, got "4"',
  ]);
});

const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;
test.each([
  { value: "4", words: '"4"' },
  { value: "x".repeat(58), words: `"${"x".repeat(58)}"` },
  { value: "x".repeat(1_000), words: `"${"x".repeat(59)}…` },
  { value: null, words: "null" },
  { value: true, words: "true" },
  { value: 1n, words: "1" },
  { value: [4], words: "an array" },
  { value: () => 4, words: "a function" },
  { value: cyclic, words: "an object" },
  { value: new Date(0), words: "an object" },
])("a wrong value is shown in words, and a long one in part: $words", ({ value, words }) => {
  const wrong = { retentionDays: value } as unknown as SettingsOverrides;
  expect(refusal(wrong)).toEqual(invalid(["retentionDays"], `must be a whole number of 1-14, got ${words}`));
});

test("a group may be an object without a prototype, and no instance of a class", () => {
  const bare = Object.assign(Object.create(null), { concurrency: 7 });
  expect(settings({ lanes: { high: bare } }).lanes.high.concurrency).toBe(7);
  class Lane {
    concurrency = 7;
  }
  expect(refusal({ lanes: { high: new Lane() } })).toEqual(
    invalid(["lanes", "high"], "must be an object, got an object"),
  );
});

test("settings are JSON, and no larger than a quarter of what Lambda takes as variables", () => {
  expect(JSON.parse(JSON.stringify(DEFAULTS))).toEqual(DEFAULTS);
  const largest = leaves.reduce((sum, { path, most }) => sum + `"${path.at(-1)}":${most},`.length, 0);
  // Lambda quotas: 4 KB for all variables of a function.
  expect(largest).toBeLessThan(2_048);
});

test("settings are not shared: what one caller gets does not change another's", () => {
  const mine = settings();
  (mine.lanes.high as { concurrency: number }).concurrency = 3;
  expect(settings().lanes.high.concurrency).toBe(8);
});

/** By the documentation of AWS, and not by the schema. */
test.each([
  { limit: "Lambda: MaximumConcurrency, 2-1000", name: /^lanes\.\w+\.concurrency$/, least: 2, most: 1_000 },
  { limit: "Lambda: BatchSize without a window", name: /^advanced\.batchSize\.\w+$/, least: 1, most: 10 },
  { limit: "SQS: retention, 14 days", name: /^(r|deadLetterR)etentionDays$/, least: 1, most: 14 },
  { limit: "SQS: visibility timeout, 12 hours", name: /^advanced\.backoff\.\w+$/, least: 1, most: 43_200 },
  { limit: "Lambda: timeout, 900 s", name: /consume\.timeoutSeconds$/, least: 1, most: 900 },
  {
    limit: "HTTP API: integration timeout, 30 s",
    name: /(ingest|receipts)\.timeoutSeconds$/,
    least: 1,
    most: 30,
  },
  { limit: "WebSocket API: integration timeout, 29 s", name: /socket\.timeoutSeconds$/, least: 3, most: 29 },
  { limit: "Lambda: memory", name: /\.memoryMegabytes$/, least: 128, most: 10_240 },
  { limit: "Lambda: 1,024 file descriptors", name: /\.sendsInFlight$/, least: 1, most: 800 },
])("no setting goes past what AWS takes ($limit)", ({ name, least, most }) => {
  const found = numbers.filter((one) => name.test(one.name)).map(({ leaf }) => leaf);
  expect(found.length).toBeGreaterThan(0);
  for (const leaf of found) expect([leaf.least, leaf.most, leaf.whole]).toEqual([least, most, true]);
});

test("each time, size and rate has its unit in its name", () => {
  const units = ["seconds", "milliseconds", "days", "megabytes"];
  for (const { path, unit = "" } of leaves) {
    if (units.includes(unit)) expect(path.at(-1)?.toLowerCase()).toMatch(new RegExp(`${unit}$`));
  }
  expect(leaves.filter(({ unit = "" }) => units.includes(unit)).length).toBeGreaterThan(15);
});
