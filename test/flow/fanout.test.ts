import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Router } from "../../local/options.ts";
import { connect, type TestSocket } from "../support/client.ts";
import { post, receipt } from "../support/http.ts";
import { RUNTIMES } from "../support/runtimes.ts";

describe.each(RUNTIMES)("%s", (_name, startRouter) => {
  const SOCKETS = 60;
  const SHARE = 10;

  let router: Router;
  const sockets: { readonly socket: TestSocket; readonly even: boolean }[] = [];

  beforeAll(async () => {
    router = await startRouter({
      settings: { recipientsPerRun: SHARE, advanced: { splitLimit: 4, firstPageSize: 5, pageSize: 10 } },
    });
    for (let i = 0; i < SOCKETS; i++) {
      const even = i % 2 === 0;
      const socket = await connect(router, `user-${i}`, even ? ["parity:even", "team:all"] : ["team:all"]);
      sockets.push({ socket, even });
    }
  }, 60_000);
  afterAll(() => router.stop(0));

  const got = (id: string) =>
    sockets.filter(({ socket }) => socket.buffered().some((frame) => (frame as { id: string }).id === id));

  test.each([
    { kind: "everyone", target: { everyone: true }, size: SOCKETS },
    { kind: "one tag", target: { tags: { all: ["team:all"] } }, size: SOCKETS },
    {
      kind: "an expression",
      target: { tags: { all: ["team:all"], none: ["parity:even"] } },
      size: SOCKETS / 2,
    },
  ])("a message for $kind of a large audience is split into jobs and ends as one delivery", async ({
    target,
    size,
  }) => {
    const { id } = await post(router, { target, data: "hi" });
    await router.spy.idle();
    const found = await receipt(router, id);
    expect(found).toMatchObject({
      state: "delivered",
      counts: { sent: size, gone: 0, failed: 0, pending: 0 },
    });
    expect(found["jobs"]).toBeGreaterThan(4);
    expect(got(id)).toHaveLength(size);
    const repeats = sockets.filter(({ socket }) => {
      const frames = socket.buffered().filter((frame) => (frame as { id: string }).id === id);
      return frames.length > 1;
    });
    expect(repeats).toEqual([]);
  });

  test("a job that meets a busy connection is retried alone", async () => {
    const [slow] = router.spy.connections();
    router.spy.failSends(slow ?? "", [503, 503, 503]);
    const { id } = await post(router, { target: { everyone: true }, data: "again" });
    await router.spy.idle();
    expect(await receipt(router, id)).toMatchObject({
      state: "delivered",
      counts: { sent: SOCKETS },
      attempts: 2,
    });
    expect(got(id)).toHaveLength(SOCKETS);
  });

  test("a cancel stops the jobs that have not begun", async () => {
    const ids = router.spy.connections();
    for (const id of ids) router.spy.failSends(id, [503, 503, 503]);
    const { id } = await post(router, { target: { everyone: true }, data: "stop" });
    await router.spy.waitFor({ kind: "run-ended", lane: "fanout-normal" }, { count: 1 });
    await receipt(router, id, { method: "DELETE" });
    await router.spy.idle({ timeout: 15_000 });
    expect(await receipt(router, id)).toMatchObject({ state: "cancelled" });
    expect(got(id).length).toBeLessThan(SOCKETS);
  });
});
