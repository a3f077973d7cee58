import { expect, test } from "vitest";
import type { SettingsOverrides } from "../../shared/settings/schema.ts";
import { DEFAULTS, settings } from "../../shared/settings/settings.ts";

const kept = (topics: string) => ({ topics, seconds: 3_600, count: 1_000 });

test("no stream is kept by default", () => {
  expect(DEFAULTS.streams).toEqual([]);
  expect(DEFAULTS.userStreams).toBeUndefined();
});

test.each([
  "*",
  "orders",
  "orders/*",
  "orders*",
  "a",
  "7:b.c_d-e/f",
  "x".repeat(128),
  `${"x".repeat(127)}*`,
])("%s is a pattern of topics", (topics) => {
  expect(settings({ streams: [kept(topics)] }).streams).toEqual([kept(topics)]);
});

test.each([
  "",
  "**",
  "*/orders",
  "or*ers",
  "/orders",
  "orders /x",
  "@user",
  "x".repeat(129),
  `${"x".repeat(128)}*`,
  "orders\n",
])("%j is refused as a pattern: no topic can match it as it is meant", (topics) => {
  expect(() => settings({ streams: [kept(topics)] })).toThrow(
    expect.objectContaining({
      code: "SETTINGS_INVALID",
      message: expect.stringContaining(
        "settings.streams.0.topics must be a topic or a pattern such as orders/*",
      ),
    }),
  );
});

test.each([
  {
    why: "names a pattern twice",
    streams: [kept("orders"), kept("orders/*"), { ...kept("orders"), count: 1 }],
    says: 'settings.streams.2.topics must differ from those before it, got "orders"',
  },
  {
    why: "is too long",
    streams: Array.from({ length: 21 }, (_, at) => ({ topics: `${at}`, seconds: 1, count: 1 })),
    says: "settings.streams must be a list of at most 20, got an array",
  },
  {
    why: "is too large for a variable of a function",
    streams: Array.from({ length: 8 }, (_, at) => kept(`${"x".repeat(100)}${at}`)),
    says: "settings.streams must have at most 1000 characters as JSON: Lambda takes 4 KB of variables, got an array",
  },
  {
    why: "is no list",
    streams: { topics: "orders" },
    says: "settings.streams must be a list of at most 20, got an object",
  },
  {
    why: "is a map",
    streams: new Map(),
    says: "settings.streams must be a list of at most 20, got an object",
  },
  {
    why: "has a name that there is not",
    streams: [{ ...kept("orders"), ttl: 1 }],
    says: "settings.streams.0.ttl is not a setting: settings.streams.0 has topics, seconds, count",
  },
])("a list of streams is refused if it $why", ({ streams, says }) => {
  expect(() => settings({ streams } as SettingsOverrides)).toThrow(
    expect.objectContaining({ code: "SETTINGS_INVALID", message: says }),
  );
});

test("streams are not shared: what one caller gets does not change another's", () => {
  (settings().streams as unknown[]).push(kept("orders"));
  expect(settings().streams).toEqual([]);
});
