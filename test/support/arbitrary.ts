import fc from "fast-check";

/*
 * Random input of the kinds that the schemas accept. Names come from a handful of letters, so that they meet.
 */

export const topics = fc.stringMatching(/^[abA0][ab/:._-]{0,3}$/);
export const users = fc.stringMatching(/^[ab/#@:é]{1,3}$/);
export const connectionIds = fc.stringMatching(/^[A-Za-z0-9_-]{3,5}=$/);
export const messageIds = fc
  .stringMatching(/^[A-Za-z0-9._:-]{1,12}$/)
  .filter((id) => id !== "." && id !== "..");
export const tags = fc.oneof(
  fc.constantFrom("region:a", "region:b", "plan:pro", "x:y"),
  topics.map((topic) => `topic:${topic}`),
  users.map((user) => `user:${user}`),
);

const lists = fc.array(tags, { minLength: 1, maxLength: 4 });

export const expressions = fc
  .record({ all: lists, any: lists, none: lists }, { requiredKeys: [] })
  .filter((expression) => Object.keys(expression).length > 0);

export const targets = fc.oneof(
  connectionIds.map((connection) => ({ connection })),
  users.map((user) => ({ user })),
  topics.map((topic) => ({ topic })),
  expressions.map((expression) => ({ tags: expression })),
  fc.constant({ everyone: true as const }),
);

/** Any JSON, lone surrogates and `__proto__` among it. */
export const json = fc.oneof(
  fc.jsonValue({ stringUnit: "binary" }),
  fc.constantFrom('{"__proto__":1}', '{"constructor":{"prototype":null}}', '"\\ud800"').map(parsed),
);

function parsed(text: string): unknown {
  return JSON.parse(text);
}

/** What a producer may post at `now` (milliseconds). */
export const postsAt = (now: number) =>
  fc
    .record(
      {
        id: messageIds,
        target: targets,
        event: fc.string({ minLength: 1, maxLength: 20 }),
        data: json,
        priority: fc.constantFrom("high", "normal", "low"),
        dedupeSeconds: fc.integer({ min: 0, max: 86_400 }),
        delaySeconds: fc.integer({ min: 0, max: 900 }),
      },
      { requiredKeys: ["target", "data"] },
    )
    .chain((post) =>
      fc.oneof(
        fc.constant(post),
        fc.integer({ min: 901, max: 342_000 }).map((ttlSeconds) => ({ ...post, ttlSeconds })),
        fc
          .integer({ min: 901, max: 342_000 })
          .map((seconds) => ({ ...post, expiresAt: new Date(now + seconds * 1000).toISOString() })),
      ),
    );
