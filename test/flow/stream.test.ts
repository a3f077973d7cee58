import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Router } from "../../local/options.ts";
import { connect } from "../support/client.ts";
import { post, receipt } from "../support/http.ts";
import { RUNTIMES } from "../support/runtimes.ts";

describe.each(RUNTIMES)("%s", (_name, startRouter) => {
  interface Frame {
    readonly type: string;
    readonly id: string;
    readonly seq?: number;
    readonly messages?: readonly Frame[];
    readonly positions?: Readonly<Record<string, number>>;
  }

  let router: Router;
  beforeAll(async () => {
    router = await startRouter({
      settings: {
        streams: [{ topics: "orders", seconds: 3_600, count: 1_000 }],
        recipientsPerRun: 4,
        advanced: { splitLimit: 4, firstPageSize: 2, pageSize: 4 },
      },
    });
  }, 60_000);
  afterAll(() => router.stop(0));

  test(
    "what is sent live has the number that the stream gives it, over jobs too",
    { timeout: 60_000 },
    async () => {
      const sockets = await Promise.all(Array.from({ length: 12 }, (_, i) => connect(router, `user-${i}`)));
      const standing: number[] = [];
      for (const socket of sockets) {
        socket.send({ type: "subscribe", topics: ["orders"] });
        standing.push(((await socket.next()) as unknown as Frame).positions?.["orders"] ?? 0);
      }
      expect(new Set(standing).size).toBe(1);
      const ids: string[] = [];
      for (let i = 0; i < 5; i++) ids.push((await post(router, { target: { topic: "orders" }, data: i })).id);
      await router.spy.idle({ timeout: 60_000 });
      for (const id of ids)
        expect(await receipt(router, id)).toMatchObject({ state: "delivered", counts: { sent: 12 } });

      const [first] = sockets;
      first?.send({ type: "history", topic: "orders", since: standing[0] });
      const numbered = (frames: readonly Frame[]) =>
        frames
          .filter(({ type }) => type === "message")
          .map(({ id, seq }) => ({ id, seq }))
          .toSorted((a, b) => (a.seq ?? 0) - (b.seq ?? 0));
      const live = sockets.map((socket) => numbered(socket.buffered() as unknown as Frame[]));
      const after = standing[0] ?? 0;
      expect(live[0]?.map(({ seq }) => seq)).toEqual(ids.map((_, i) => after + 1 + i));
      expect(new Set(live[0]?.map(({ id }) => id))).toEqual(new Set(ids));
      for (const one of live) expect(one).toEqual(live[0]);
      let reply: Frame | undefined;
      while (reply?.type !== "history") reply = (await first?.next()) as unknown as Frame;
      expect(numbered(reply.messages ?? [])).toEqual(live[0]);
    },
  );
});
