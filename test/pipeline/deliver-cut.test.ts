import fc from "fast-check";
import { expect, test } from "vitest";
import { audience, BUSY, GONE, NEW, REFUSED, rowsOf } from "../support/audience.ts";

test("however runs are cut short and posts fail, each connection has one ending, and who got a frame got one", async () => {
  const endings = fc.constantFrom(BUSY, BUSY, BUSY, REFUSED, GONE);
  const plans = fc.array(fc.array(endings, { maxLength: 8 }), { minLength: 1, maxLength: 15 });
  const runs = fc.array(
    fc.record({
      posts: fc.nat(20),
      pageSize: fc.integer({ min: 1, max: 5 }),
      sendsInFlight: fc.integer({ min: 1, max: 5 }),
      attempts: fc.integer({ min: 1, max: 3 }),
      pendingLimit: fc.integer({ min: 1, max: 6 }),
      brokenPage: fc.option(fc.nat(4), { nil: 99 }),
    }),
    { maxLength: 6 },
  );
  await fc.assert(
    fc.asyncProperty(plans, runs, async (plan, cut) => {
      const { run, rows, sockets, got, forgotten } = audience(rowsOf(plan.length));
      for (const [i, { connectionId }] of rows.entries()) sockets.fail(connectionId, ...(plan[i] ?? []));
      let progress = NEW;
      // Then as many whole runs as the longest streak of bad luck may need.
      for (const options of [...cut, ...Array.from({ length: 20 }, () => ({ posts: 1_000 }))]) {
        let asked = 0;
        const stop = () => (asked++ >= options.posts ? ("deadline" as const) : undefined);
        ({ progress } = await run({ ...options, stop, progress }));
      }
      const first = plan.map((bad) => bad.find(({ kind }) => kind !== "unavailable")?.kind ?? "sent");
      const count = (kind: string) => first.filter((one) => one === kind).length;
      expect(progress).toEqual({
        counts: { sent: count("sent"), gone: count("gone"), failed: count("refused") },
        pending: [],
        failed: expect.any(Array),
        rounds: 0,
      });
      expect(rows.map(({ connectionId }) => got(connectionId))).toEqual(
        first.map((kind) => (kind === "sent" ? 1 : 0)),
      );
      expect(forgotten).toHaveLength(count("gone"));
      expect(progress.failed).toHaveLength(count("refused"));
    }),
    { numRuns: 300 },
  );
});
