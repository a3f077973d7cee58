import { describe, expect, test } from "vitest";
import { backlog } from "../../shared/pipeline/ingest/backlog.ts";
import { ingest } from "../../shared/pipeline/ingest/ingest.ts";
import type { Item } from "../../shared/protocol/item.ts";
import { PublishRequest } from "../../shared/protocol/message.ts";
import { parse } from "../../shared/protocol/parse.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { memoryQueue } from "../../testing/memory/queue.ts";
import { memoryTelemetry } from "../../testing/memory/telemetry.ts";
import { NOW } from "../support/message.ts";

const MEBIBYTE = 1_048_576;
const TARGET = '"target":{"topic":"orders"}';

const fields = (count: number, start = 0) =>
  Array.from({ length: count }, (_, i) => `"${(start + i).toString(36)}_":1`).join(",");
const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
const list = (count: number, item: string) => `[${Array.from({ length: count }, () => item).join(",")}]`;
const message = (...parts: readonly string[]) => `{${parts.join(",")}}`;

/** Everything that happens to the text of a body. */
async function accepted(text: string): Promise<readonly Item[]> {
  const clock = memoryClock(NOW);
  const queue = memoryQueue();
  let ids = 0;
  const deps = {
    queue,
    clock,
    backlog: backlog({
      queue,
      clock,
      policy: {
        limits: {},
        limitsSeconds: {},
        recipientsPerJob: 1,
        sendsPerSecond: 1,
        refreshIntervalMilliseconds: 5_000,
      },
    }),
    newId: () => `made-${++ids}`,
    lifeSeconds: 342_000,
    telemetry: memoryTelemetry(),
  };
  const producer = {
    sub: "ann" as UserId,
    tags: [],
    subscribe: [],
    publish: ["*"],
    admin: false,
    exp: NOW / 1000 + 60,
  };
  const items = await ingest(deps, producer, JSON.parse(text));
  return items.ok ? [items.value].flat() : [];
}

/** Milliseconds of processor time: what others do on a busy machine does not count. */
async function milliseconds(work: () => unknown): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

/** The shortest time of each kind of work. They take turns, so that a busy machine slows all of them. */
async function best<K extends string>(
  rounds: number,
  works: Readonly<Record<K, () => unknown>>,
): Promise<Readonly<Record<K, number>>> {
  const took = Object.fromEntries(Object.keys(works).map((name) => [name, Number.POSITIVE_INFINITY]));
  for (let round = 0; round < rounds; round++) {
    for (const name in works) took[name] = Math.min(took[name] ?? 0, await milliseconds(works[name]));
  }
  return took as Record<K, number>;
}

test("120,000 unknown fields cost little more than to read them, and a sixteenth of them about a sixteenth", async () => {
  const [few, many] = [message(fields(7_500)), message(fields(120_000))];
  const check = (text: string) => () => parse(PublishRequest, JSON.parse(text), "MESSAGE_INVALID");
  const took = await best(9, {
    readFew: () => JSON.parse(few),
    few: check(few),
    readMany: () => JSON.parse(many),
    many: check(many),
  });
  expect(took.many / took.readMany).toBeLessThan(5);
  // Work that grew with the square would be 16 times as much for each field.
  expect(took.many / took.readMany / (took.few / took.readFew)).toBeLessThan(4);
});

/** Milliseconds by which a body may go over its bound, where reading it takes no time at all. */
const SLACK = 30;

describe("a hostile body costs at most five times what it takes to read it", () => {
  const bodies = [
    { what: "unknown fields", body: message(fields(120_000)), says: "/0_ is not a known field" },
    { what: "unknown fields beside good ones", body: message(TARGET, '"data":1', fields(110_000)) },
    {
      what: "a hundred messages of unknown fields",
      body: list(100, message(fields(1_100))),
      says: "/0/target is missing",
    },
    {
      what: "unknown fields in a target",
      body: message(`"target":${message('"topic":"a"', fields(120_000))}`, '"data":1'),
      says: "/target/0_ is not a known field",
    },
    {
      what: "unknown fields in an expression",
      body: message(`"target":{"tags":${message('"all":["region:gd"]', fields(120_000))}}`, '"data":1'),
      says: "/target/tags/0_ is not a known field",
    },
    {
      what: "a field of a mebibyte",
      body: message(`"${"k".repeat(MEBIBYTE - 10)}":1`),
      says: "k… is not a known field",
    },
    { what: "an id of a mebibyte", body: message(`"id":"${"i".repeat(MEBIBYTE - 50)}"`, TARGET) },
    { what: "a topic of a mebibyte", body: message(`"target":{"topic":"${"t".repeat(MEBIBYTE - 50)}"}`) },
    { what: "a user of a mebibyte", body: message(`"target":{"user":"${"é".repeat(MEBIBYTE / 2 - 50)}"}`) },
    { what: "an event of a mebibyte", body: message(TARGET, `"event":"${"e".repeat(MEBIBYTE - 50)}"`) },
    { what: "a time of a mebibyte", body: message(TARGET, `"expiresAt":"${"2".repeat(MEBIBYTE - 60)}"`) },
    {
      what: "data of a mebibyte",
      body: message(TARGET, `"data":"${"d".repeat(MEBIBYTE - 50)}"`),
      code: "MESSAGE_TOO_LARGE",
    },
    {
      what: "data of many fields",
      body: message(TARGET, `"data":${message(fields(110_000))}`),
      code: "MESSAGE_TOO_LARGE",
    },
    {
      what: "tags without end",
      body: message(`"target":{"tags":{"any":${list(100_000, '"a:b"')}}}`),
      says: "must name at most 20 tags",
    },
    {
      what: "bad tags without end",
      body: message(`"target":{"tags":{"all":${list(100_000, "{}")}}}`),
      says: "must name at most 20 tags",
    },
    { what: "data 100,000 levels deep", body: message(TARGET, `"data":${nested(100_000)}`), says: "nest" },
    {
      what: "an unknown field 100,000 levels deep",
      body: message(TARGET, `"deep":${nested(100_000)}`, '"data":1'),
      says: "/deep is not a known field",
    },
    { what: "a target 100,000 levels deep", body: message(`"target":${nested(100_000)}`), says: "/target" },
    { what: "one field again and again", body: message(list(120_000, '"a":1').slice(1, -1)), says: "/a is" },
    { what: "lists for messages", body: list(100, list(5_000, "1")), says: "/0 must be Object, got Array" },
    {
      what: "a list for an expression",
      body: message(`"target":{"tags":${list(400_000, "1")}}`, '"data":1'),
      says: "/target/tags must be Object, got Array",
    },
    {
      what: "prototypes",
      body: message(TARGET, '"data":1', '"__proto__":{"priority":"high"}', '"constructor":1'),
      says: "/__proto__ is not a known field; /constructor is not a known field",
    },
    { what: "a number without end", body: message(TARGET, '"data":1e999'), says: "fit a double" },
    { what: "a life without end", body: message(TARGET, '"data":1', '"ttlSeconds":1e999'), says: "whole" },
  ];
  test.each(bodies)("$what", async ({ body, says = "", code = "MESSAGE_INVALID" }) => {
    expect(body.length).toBeLessThanOrEqual(1.3 * MEBIBYTE);
    const [item] = await accepted(body);
    expect(item).toMatchObject({
      state: "refused",
      problem: { code, detail: expect.stringContaining(says) },
    });
    const { read } = await best(3, { read: () => JSON.parse(body) });
    const bound = 5 * read + SLACK;
    // A busy machine may slow one of them down.
    let all = await milliseconds(() => accepted(body));
    for (let more = 0; more < 2 && all >= bound; more++) all = await milliseconds(() => accepted(body));
    expect(all).toBeLessThan(bound);
  });
});

test("of a hundred thousand bad fields the first hundred are named, and the others counted", () => {
  const count = 100_000;
  const refused = parse(
    PublishRequest,
    JSON.parse(message(TARGET, '"data":1', fields(count))),
    "MESSAGE_INVALID",
  );
  expect(refused).toMatchObject({ refusal: { detail: expect.stringMatching(/; and 99900 more$/) } });
  expect(refused.ok ? [] : refused.refusal.errors).toHaveLength(100);
});

test("bad fields at several places are counted together", () => {
  const target = message('"topic":"a"', fields(150));
  const body = JSON.parse(message(`"target":${target}`, '"data":1', '"priority":"top"', fields(20)));
  const refused = parse(PublishRequest, body, "MESSAGE_INVALID");
  // 150 in the target, 20 beside it, and the priority.
  expect(refused).toMatchObject({ refusal: { detail: expect.stringMatching(/; and 71 more$/) } });
});
