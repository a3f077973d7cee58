import fc from "fast-check";
import * as v from "valibot";
import { expect, test } from "vitest";
import { parseFrame } from "../../shared/protocol/frame.ts";
import { EXPRESSION_TAGS } from "../../shared/protocol/limits.ts";
import { PublishRequest } from "../../shared/protocol/message.ts";
import { parse } from "../../shared/protocol/parse.ts";
import { json, postsAt } from "../support/arbitrary.ts";
import { component, faults, frame } from "./documents.ts";

type Fields = Record<string, unknown>;

/** What takes the place of a field: near the bounds, or anything. */
const values = fc.oneof(
  json,
  fc.constantFrom<unknown>(
    0,
    1,
    -1,
    1.5,
    900,
    901,
    86_400,
    86_401,
    1_119_600,
    1_206_001,
    "",
    "..",
    "high",
    "top",
  ),
  fc.constantFrom("2026-02-30T00:00:00Z", "2026-01-31T12:00:00+01:00", "2026-01-31", "2026-01-31t12:00:00z"),
  fc.nat({ max: 130 }).map((length) => "x".repeat(length)),
  fc.nat({ max: 130 }).map((length) => "🙂".repeat(length)),
  fc.nat({ max: 21 }).map((length) => Array(length).fill("region:gd")),
  fc.constantFrom({ topic: "a", user: "b" }, { everyone: false }, { tags: {} }, { tags: { all: [] } }, [1]),
);

/** A value with one of its fields changed, added or taken away, at most three levels deep. */
const changed = (value: unknown): fc.Arbitrary<unknown> =>
  typeof value !== "object" || value === null
    ? values
    : fc
        .tuple(
          fc.constantFrom(...Object.keys(value), "other", "ttlSeconds", "expiresAt"),
          fc.nat({ max: 3 }),
          values,
        )
        .chain(([name, how, other]): fc.Arbitrary<unknown> => {
          if (Array.isArray(value)) return fc.constant([...value, other]);
          const { [name]: old, ...rest } = value as Fields;
          if (how === 0) return fc.constant(rest);
          if (how === 1) return fc.constant({ ...rest, [name]: other });
          return changed(old).map((inner) => ({ ...rest, [name]: inner }));
        });

const List = v.optional(v.array(v.unknown()), []);
const ManyTags = v.object({
  target: v.object({
    tags: v.pipe(
      v.object({ all: List, any: List, none: List }),
      v.check(({ all, any, none }) => all.length + any.length + none.length > EXPRESSION_TAGS),
    ),
  }),
});

test("the OpenAPI document and the router agree on which messages are good", () => {
  let refused = 0;
  const place = component("openapi", "PublishRequest");
  const posts = postsAt(Date.now()).chain((post) => fc.oneof(fc.constant(post), changed(post)));
  fc.assert(
    fc.property(posts, (post) => {
      // A rule over several lists, for which JSON Schema has no keyword.
      fc.pre(!v.is(ManyTags, post));
      const { ok } = parse(PublishRequest, post, "MESSAGE_INVALID");
      if (!ok) refused += 1;
      expect({ post, good: faults(place, post).length === 0 }).toEqual({ post, good: ok });
    }),
    { numRuns: 3_000 },
  );
  expect(refused).toBeGreaterThan(300);
});

const standing = fc.oneof(
  fc.dictionary(fc.string(), json),
  fc
    .constantFrom(200, 201)
    .map((count) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`t${n}`, n]))),
);

const frames = fc.oneof(
  fc.record(
    {
      type: fc.constantFrom("subscribe", "unsubscribe"),
      topics: fc.array(fc.string(), { minLength: 1, maxLength: 50 }),
      ref: fc.oneof(fc.string(), fc.integer()),
    },
    { requiredKeys: ["type", "topics"] },
  ),
  fc.record(
    {
      type: fc.constant("subscribe"),
      topics: fc.array(fc.string(), { minLength: 1, maxLength: 50 }),
      since: standing,
      last: fc.integer({ min: 0, max: 1_001 }),
    },
    { requiredKeys: ["type", "topics"] },
  ),
  fc.record(
    {
      type: fc.constant("history"),
      topic: fc.string(),
      since: json,
      last: fc.integer({ min: 0, max: 1_001 }),
    },
    { requiredKeys: ["type", "topic"] },
  ),
  fc.record(
    { type: fc.constant("token"), token: fc.string(), ref: fc.oneof(fc.string(), fc.double()) },
    { requiredKeys: ["type", "token"] },
  ),
  fc.record(
    { type: fc.constant("ping"), positions: standing, ref: fc.oneof(fc.string(), fc.double()) },
    { requiredKeys: ["type"] },
  ),
);

test("the AsyncAPI document and the router agree on which frames are good", () => {
  const types = ["subscribe", "unsubscribe", "token", "history", "ping"];
  fc.assert(
    fc.property(
      frames.chain((it) => fc.oneof(fc.constant(it), changed(it))),
      (it) => {
        const text = JSON.stringify(it);
        const good = types.some((type) => faults(frame(type), JSON.parse(text)).length === 0);
        expect({ text, good }).toEqual({ text, good: parseFrame(text).ok });
      },
    ),
    { numRuns: 2_000 },
  );
});
