import { streamRouter } from "./streams.ts";
import { recorded, type ServedSocket, world } from "./world.ts";

/** A page that is subscribed to orders, of a router without streams. */
export async function connected(options: { token?: () => string } = {}) {
  const it = world();
  const client = it.connect(options);
  const got: unknown[] = [];
  client.subscribe("orders", ({ data }) => got.push(data));
  await it.settle();
  const [socket] = it.sockets as [ServedSocket];
  return { it, client, got, socket, ...recorded(client) };
}

/** The numbers of messages. */
export const numbers = (got: readonly { seq?: number | undefined }[]) => got.map(({ seq = 0 }) => seq);

/** A page that is subscribed to orders, of a router that keeps a stream of them. */
export async function subscribed(options: Parameters<typeof streamRouter>[1] = {}) {
  const it = world();
  const router = streamRouter(it, options);
  router.publish("orders");
  const client = it.connect();
  const got: { seq?: number | undefined }[] = [];
  const orders = client.subscribe("orders", (message) => got.push(message));
  await it.settle();
  const events = recorded(client);
  return { it, router, client, got, orders, ...events, socket: it.sockets[0] as ServedSocket };
}
