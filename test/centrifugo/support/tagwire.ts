import { expect } from "vitest";
import { WebSocket } from "ws";
import { connect } from "../../../client/index.ts";
import type { Router } from "../../../local/options.ts";
import { startTables, type Tables } from "../../../local/twin/emulators/table.ts";
import { startTwin } from "../../../local/twin/start.ts";
import { publisher } from "../../../server/index.ts";
import { DEV_SECRET } from "../../../shared/settings/dev-secret.ts";
import { cable } from "../../client/support/cable.ts";
import { tokenFor } from "../../support/client.ts";
import { patient } from "../../support/patient.ts";
import { dataOf, KEPT, numberOf, type Page, type Past, type Side, type Start, type Told } from "./side.ts";

/** A router of our own with `tagwire/client`. Its tables outlive it. */
export async function tagwire(): Promise<Side<number>> {
  let tables = await startTables();
  let router = await run(tables);
  const pages = new Set<Page<number>>();
  return {
    async publish(topic, numbers, bytes) {
      const shop = publisher({ url: router.url, secret: DEV_SECRET, user: "shop" });
      for (const number of numbers) {
        const { id } = await shop.publish({ target: { topic }, data: dataOf(number, bytes) });
        // At the pace of the poll: `waitFor` is in no hurry.
        await expect.poll(async () => (await shop.receipt(id))?.state).toMatch(/^(delivered|no-recipients)$/);
      }
    },
    async page(topic, start) {
      const page = await open(router, topic, start);
      pages.add(page);
      return page;
    },
    history: (topic, query) => history(router, topic, query),
    zero: 0,
    beyond: (place, messages) => place + messages,
    async restart(kept) {
      const { url } = router;
      await router.stop(0);
      if (kept === "lost") {
        await tables.stop();
        tables = await startTables();
      }
      router = await run(tables, Number(new URL(url).port));
    },
    async stop() {
      for (const page of pages) page.close();
      await router.stop(0);
      await tables.stop();
    },
  };
}

const run = (tables: Tables, port = 0): Promise<Router> =>
  startTwin({
    port,
    settings: patient({
      streams: Object.entries(KEPT).map(([name, kept]) => ({ topics: `${name}:*`, ...kept })),
    }),
    between: async (service, endpoint) => (service === "dynamodb" ? tables.endpoint : endpoint),
  });

async function open(
  router: Router,
  topic: string,
  { from, last = 0 }: Start<number> = {},
): Promise<Page<number>> {
  const line = await cable(Number(new URL(router.url).port));
  const client = connect({
    url: `ws://127.0.0.1:${line.port}`,
    httpUrl: router.url,
    token: () => tokenFor("ann"),
    ...(from === undefined ? {} : { positions: { [topic]: from } }),
    WebSocket,
  });
  let told: Told = "nothing";
  let got: number[] = [];
  client.on("recovered", () => {
    told = "recovered";
  });
  client.on("gap", () => {
    told = "gap";
  });
  client.subscribe(topic, ({ data }) => got.push(numberOf(data)), { last });
  await expect.poll(() => client.state).toBe("connected");
  return {
    answer: () => ({ told, got }),
    place() {
      const place = client.positions()[topic];
      if (place === undefined) throw new Error(`${topic} keeps no stream`);
      return place;
    },
    async cut() {
      line.refuse(true);
      line.cut();
      await expect.poll(() => client.state).toBe("connecting");
      told = "nothing";
      got = [];
    },
    async restore() {
      line.refuse(false);
      await expect.poll(() => client.state).toBe("connected");
    },
    close() {
      client.close();
      line.close();
    },
  };
}

async function history(
  router: Router,
  topic: string,
  query: { readonly since: number } | { readonly last: number },
): Promise<Past> {
  const token = await tokenFor("ann");
  const got: number[] = [];
  let told: Past["told"] = "whole";
  let asked: object = query;
  for (let pages = 1; ; pages += 1) {
    const search = new URLSearchParams({ topic, ...asked } as Record<string, string>);
    const response = await fetch(`${router.url}/v1/history?${search}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const { messages, position, more, gap } = (await response.json()) as {
      messages: readonly { data: unknown }[];
      position: number;
      more: boolean;
      gap: boolean;
    };
    got.push(...messages.map(({ data }) => numberOf(data)));
    if (gap) told = "gap";
    if (!more) return { told, got, pages: pages > 1 ? "more" : "one" };
    asked = { since: position };
  }
}
