import { createServer } from "node:http";
import type { Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { listen, shut } from "../../testing/listen.ts";
import type { CallRequest } from "../../testing/service.ts";
import { upstream } from "../../testing/upstream.ts";

const REQUEST: CallRequest = { method: "POST", path: "/", headers: {}, body: Buffer.from("{}") };

/** Sends to a server that resets the connection instead of answering where `isCut` says so of the request's place on it. */
async function against(isCut: (place: number) => boolean) {
  const served = new Map<Socket, number>();
  let requests = 0;
  const server = createServer(({ socket }, response) => {
    requests++;
    const place = (served.get(socket) ?? 0) + 1;
    served.set(socket, place);
    if (isCut(place)) socket.resetAndDestroy();
    else response.end("ok");
  });
  const { call, stop } = upstream(await listen(server));
  onTestFinished(async () => {
    stop();
    await shut(server);
  });
  return { send: async () => (await call(REQUEST)).status, requests: () => requests };
}

test("a request that meets the end of a kept connection is sent again on a new one", async () => {
  const { send, requests } = await against((place) => place > 1);
  expect([await send(), await send(), await send()]).toEqual([200, 200, 200]);
  expect(requests()).toBe(5);
});

test("a request whose own connection is cut is not sent again", async () => {
  const { send, requests } = await against(() => true);
  await expect(send()).rejects.toMatchObject({ code: "ECONNRESET" });
  expect(requests()).toBe(1);
});
