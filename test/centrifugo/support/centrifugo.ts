import { Centrifuge, type HistoryOptions, type PublicationContext, type StreamPosition } from "centrifuge";
import { expect } from "vitest";
import { WebSocket } from "ws";
import { cable } from "../../client/support/cable.ts";
import { type Server, startServer } from "./server.ts";
import { dataOf, numberOf, type Page, type Past, type Side, type Start, type Told } from "./side.ts";

/** How many messages are asked for at once. */
const PAGE = 10;
/** "unrecoverable position" (Centrifugo docs, "Client protocol codes"). */
const UNRECOVERABLE = 112;

/** Centrifugo with centrifuge-js. */
export async function centrifugo(): Promise<Side<StreamPosition>> {
  const server = await startServer();
  const pages = new Set<Page<StreamPosition>>();
  return {
    async publish(topic, numbers, bytes) {
      for (const number of numbers)
        await server.call("publish", { channel: topic, data: dataOf(number, bytes) });
    },
    async page(topic, start) {
      const page = await open(server, topic, start);
      pages.add(page);
      return page;
    },
    history: (topic, query) => history(server, topic, query),
    zero: { offset: 0, epoch: "" },
    beyond: ({ offset, epoch }, messages) => ({ offset: offset + messages, epoch }),
    restart: () => server.restart(),
    async stop() {
      for (const page of pages) page.close();
      await server.stop();
    },
  };
}

const connect = (port: number) =>
  new Centrifuge(`ws://127.0.0.1:${port}/connection/websocket`, {
    websocket: WebSocket,
    minReconnectDelay: 20,
    maxReconnectDelay: 200,
  });

async function open(
  { port }: Server,
  topic: string,
  { from, last }: Start<StreamPosition> = {},
): Promise<Page<StreamPosition>> {
  const line = await cable(port);
  const client = connect(line.port);
  const subscription = client.newSubscription(topic, from ? { since: from } : {});
  let told: Told = "nothing";
  let got: number[] = [];
  let place: StreamPosition = { offset: 0, epoch: "" };
  subscription.on("subscribed", ({ wasRecovering, recovered, hasRecoveredPublications, streamPosition }) => {
    if (wasRecovering) told = recovered ? "recovered" : "gap";
    // What was recovered comes after this event, and moves the place.
    if (streamPosition && !hasRecoveredPublications) place = streamPosition;
    if (streamPosition) place = { ...place, epoch: streamPosition.epoch };
  });
  subscription.on("publication", ({ data, offset = 0 }: PublicationContext) => {
    got.push(numberOf(data));
    place = { ...place, offset };
  });
  subscription.subscribe();
  client.connect();
  await expect.poll(() => subscription.state).toBe("subscribed");
  if (last !== undefined) {
    const { publications } = await subscription.history({ limit: last, reverse: true });
    got.push(...publications.map(({ data }) => numberOf(data)).reverse());
  }
  return {
    answer: () => ({ told, got }),
    place: () => place,
    async cut() {
      line.refuse(true);
      line.cut();
      await expect.poll(() => subscription.state).toBe("subscribing");
      told = "nothing";
      got = [];
    },
    async restore() {
      line.refuse(false);
      await expect.poll(() => subscription.state).toBe("subscribed");
    },
    close() {
      client.disconnect();
      line.close();
    },
  };
}

async function history(
  { port }: Server,
  topic: string,
  query: { readonly since: StreamPosition } | { readonly last: number },
): Promise<Past> {
  const client = connect(port);
  client.connect();
  const ask = (options: HistoryOptions) => client.history(topic, options);
  try {
    if ("last" in query) {
      const { publications } = await ask({ limit: query.last, reverse: true });
      return { told: "whole", got: publications.map(({ data }) => numberOf(data)).reverse(), pages: "one" };
    }
    const past: PublicationContext[] = [];
    let since = query.since;
    for (let pages = 1; ; pages += 1) {
      const { publications, offset: head } = await ask({ since, limit: PAGE });
      past.push(...publications);
      since = { ...since, offset: publications.at(-1)?.offset ?? since.offset };
      if (publications.length === PAGE) continue;
      // Centrifugo leaves it to its caller to see a gap.
      const before = past[0] ? Number(past[0].offset) - 1 : head;
      return {
        told: before > query.since.offset ? "gap" : "whole",
        got: past.map(({ data }) => numberOf(data)),
        pages: pages > 1 ? "more" : "one",
      };
    }
  } catch (fault) {
    if ((fault as { code?: number }).code !== UNRECOVERABLE) throw fault;
    return { told: "refused", got: [], pages: "one" };
  } finally {
    client.disconnect();
  }
}
