import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { connect } from "../support/client.ts";
import { post } from "../support/http.ts";
import { RUNTIMES } from "../support/runtimes.ts";

describe.each(RUNTIMES)("%s", (_name, startRouter) => {
  test("a lane over its limit turns messages away with 429 and Retry-After until it has emptied; high stays open", async () => {
    /** How far the router's clock is ahead, in milliseconds. */
    let ahead = 0;
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const router = await startRouter({
      clock: {
        now: () => Date.now() + ahead,
        monotonic: () => performance.now() + ahead,
        // A run whose send has failed does not try again before it is released.
        pause: (milliseconds) => held.then(() => wait(milliseconds)),
      },
      settings: {
        lanes: { low: { backlogLimitMessages: 3 }, normal: { backlogLimitMessages: 10 } },
        advanced: { backlogRefreshIntervalMilliseconds: 1_000, batchSize: { low: 1 } },
      },
    });
    onTestFinished(async () => {
      release();
      await router.stop(0);
    });
    const ann = await connect(router, "ann");
    const [annId = ""] = router.spy.connections();
    router.spy.failSends(annId, [503, 503]);
    const message = (priority: string) => ({ target: { user: "ann" }, data: 1, priority });
    // The two runs of the lane hold one message each; what comes after them waits.
    await post(
      router,
      Array.from({ length: 10 }, () => message("low")),
    );
    await router.spy.waitFor({ kind: "run-started", lane: "low" }, { count: 2 });
    ahead += 1_000;
    await post(router, message("low"));

    const { status, body, headers } = await post(router, message("low"));
    expect({ status, body }).toMatchObject({ status: 429, body: { code: "LANE_FULL", status: 429 } });
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    expect(body["retryAfter"]).toBe(Number(headers.get("retry-after")));
    expect((await post(router, [message("low")])).headers.get("retry-after")).not.toBeNull();
    expect((await post(router, message("normal"))).status).toBe(202);
    expect((await post(router, message("high"))).status).toBe(202);

    release();
    await router.spy.idle({ timeout: 60_000 });
    // 11 that were taken while the lane was open, and the two of other lanes.
    await expect.poll(() => ann.buffered()).toHaveLength(13);
    ahead += 10_000;
    expect((await post(router, message("low"))).status).toBe(202);
  });

  test("messages with a delay count: a thousand of them do not get past a limit of fifty", async () => {
    let now = Date.now();
    const router = await startRouter({
      clock: { now: () => now, monotonic: () => now, pause: async () => {} },
      settings: {
        lanes: { normal: { backlogLimitMessages: 50 } },
        advanced: { backlogRefreshIntervalMilliseconds: 1_000 },
      },
    });
    onTestFinished(() => router.stop(0).then(() => {}));
    const later = { target: { topic: "any" }, data: 1, delaySeconds: 900 };
    const statuses: number[] = [];
    for (let batch = 0; batch < 10; batch++) {
      now += 1_000;
      statuses.push(
        (
          await post(
            router,
            Array.from({ length: 100 }, () => later),
          )
        ).status,
      );
    }
    expect(statuses.slice(0, 2)).toEqual([202, 202]);
    expect(statuses.slice(2)).toEqual(statuses.slice(2).map(() => 429));
  });
});
