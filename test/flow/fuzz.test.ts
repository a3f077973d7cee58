import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Router } from "../../local/options.ts";
import { ERRORS, type ErrorCode, type Problem } from "../../shared/protocol/errors.ts";
import { json, postsAt } from "../support/arbitrary.ts";
import { connect, tokenFor } from "../support/client.ts";
import { expectProblem } from "../support/problem.ts";
import { RUNTIMES } from "../support/runtimes.ts";
import { refused } from "../support/socket.ts";

describe.each(RUNTIMES)("%s", (_name, startRouter) => {
  let router: Router;
  const lines: string[] = [];
  beforeAll(async () => {
    router = await startRouter({ write: (line) => lines.push(line) });
  });
  afterAll(async () => {
    await router.stop(0);
  });

  const RUNS = { numRuns: 150 };

  /** Text that an HTTP header may hold. */
  const headerText = fc.string({ unit: "grapheme-ascii" }).map((text) => text.trim());
  const base64 = fc.oneof(
    fc.base64String(),
    json.map((value) => Buffer.from(JSON.stringify(value)).toString("base64url")),
  );
  const badTokens = fc.oneof(
    headerText,
    fc.array(base64, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(".")),
  );

  /** A good post in which one field is something else. */
  const almostPosts = fc
    .tuple(
      postsAt(Date.now()),
      fc.oneof(
        fc.constantFrom(
          "id",
          "target",
          "event",
          "data",
          "priority",
          "ttlSeconds",
          "expiresAt",
          "delaySeconds",
        ),
        fc.string(),
      ),
      json,
    )
    .map(([post, field, value]) => ({ ...post, [field]: value }));
  const bodies = fc.oneof(
    fc.string({ unit: "binary" }),
    json.map((value) => JSON.stringify(value)),
    almostPosts.map((value) => JSON.stringify(value)),
    fc.array(fc.oneof(almostPosts, json), { maxLength: 12 }).map((value) => JSON.stringify(value)),
    fc.tuple(almostPosts, fc.nat(200)).map(([value, at]) => JSON.stringify(value).slice(0, at)),
  );

  async function expectAnswered(response: Response, statuses: readonly number[]): Promise<void> {
    const body = (await response.json()) as unknown;
    expect(statuses).toContain(response.status);
    if (Array.isArray(body)) return body.forEach(expectItem);
    if (response.ok) return expectItem(body);
    const { code } = body as { code: ErrorCode };
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expectProblem({ status: response.status, body }, code);
  }

  function expectItem(item: unknown): void {
    const { state, problem } = item as { state: string; problem?: Problem };
    expect(state).toBe(problem ? "refused" : "queued");
    if (problem) expectProblem({ status: problem.status, body: problem }, problem.code);
  }

  /** Nothing that strangers send is a fault of ours. */
  function expectNoFaults(): void {
    const faults = lines.filter((line) => /"Faults"|function failed|"level":"(WARN|ERROR)"/.test(line));
    expect(faults).toEqual([]);
  }

  test("any body is taken or refused, and never a fault", async () => {
    const authorization = `Bearer ${await tokenFor("producer", { publish: ["topic:*", "user:*", "region:*"] })}`;
    await fc.assert(
      fc.asyncProperty(bodies, async (body) => {
        const headers = { "content-type": "application/json", authorization };
        const response = await fetch(`${router.url}/v1/messages`, { method: "POST", headers, body });
        await expectAnswered(response, [202, 400, 403]);
      }),
      RUNS,
    );
    expectNoFaults();
  });

  test("any header is taken or refused, and never a fault", async () => {
    const body = JSON.stringify({ target: { topic: "orders" }, data: 1 });
    const good = `Bearer ${await tokenFor("producer")}`;
    const headers = fc.record(
      {
        "content-type": fc.oneof(headerText, fc.constant("application/json")),
        authorization: fc.oneof(
          fc.constant(good),
          headerText,
          badTokens.map((token) => `Bearer ${token}`),
        ),
        accept: headerText,
        "x-forwarded-for": headerText,
      },
      { requiredKeys: ["authorization"] },
    );
    await fc.assert(
      fc.asyncProperty(headers, async (some) => {
        const response = await fetch(`${router.url}/v1/messages`, { method: "POST", headers: some, body });
        await expectAnswered(response, [202, 401, 415]);
      }),
      RUNS,
    );
    expectNoFaults();
  });

  test("any address is answered, and never with a fault", async () => {
    const headers = { authorization: `Bearer ${await tokenFor("producer", { admin: true })}` };
    const part = fc.oneof(fc.string({ unit: "binary" }).map(encoded), fc.string({ unit: "grapheme-ascii" }));
    const paths = fc.tuple(part, part).map(([id, query]) => `/v1/messages/${id}?producer=${query}`);
    await fc.assert(
      fc.asyncProperty(paths, fc.constantFrom("GET", "DELETE", "POST", "PUT"), async (path, method) => {
        const response = await fetch(`${router.url}${path}`, { method, headers });
        expect(response.status).toBeLessThan(500);
        const body = (await response.json()) as Problem;
        if (!response.ok) expectProblem({ status: response.status, body }, body.code);
      }),
      RUNS,
    );
    expectNoFaults();
  });

  /** As a URL has it; half a surrogate pair has no such form. */
  function encoded(text: string): string {
    return [...text].map((unit) => (/\p{Cs}/u.test(unit) ? "%ED%A0%80" : encodeURIComponent(unit))).join("");
  }

  test("any frame gets one answer, and the socket stays open", async () => {
    const socket = await connect(router, "ann", [], { subscribe: ["a*"] });
    const frames = fc.oneof(
      fc.string({ unit: "binary" }),
      json.map((value) => JSON.stringify(value)),
      fc
        .record(
          {
            type: fc.oneof(fc.constantFrom("subscribe", "unsubscribe", "ping"), json),
            topics: fc.oneof(fc.array(fc.constantFrom("a", "b", "a/b", "a", "*")), json),
            ref: fc.oneof(fc.integer(), fc.string(), json),
            more: json,
          },
          { requiredKeys: ["type"] },
        )
        .map((frame) => JSON.stringify(frame)),
    );
    let count = 0;
    await fc.assert(
      fc.asyncProperty(frames, async (frame) => {
        const ref = `after ${count++}`;
        socket.send(frame);
        const answer = (await socket.next()) as { type: string; code?: string };
        expect(["subscribed", "unsubscribed", "pong", "error"]).toContain(answer.type);
        if (answer.type === "error") expect(Object.keys(ERRORS)).toContain(answer.code);
        socket.send({ type: "ping", ref });
        expect(await socket.next()).toMatchObject({ type: "pong", ref });
      }),
      RUNS,
    );
    await socket.close();
    expectNoFaults();
  });

  test("no token that nobody signed opens a socket", async () => {
    const tokens = fc.oneof(
      badTokens.map(encodeURIComponent),
      fc.string({ unit: "grapheme-ascii" }).map(encodeURIComponent),
    );
    await fc.assert(
      fc.asyncProperty(tokens, async (token) => {
        const { status = 0, body } = await refused(`${router.socketUrl}/?token=${token}`);
        const problem = JSON.parse(body) as Problem;
        expect(status).toBe(401);
        expectProblem({ status, body: problem }, problem.code);
      }),
      { numRuns: 50 },
    );
    expectNoFaults();
  });
});
