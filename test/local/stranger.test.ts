import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { start } from "../../local/start.ts";
import { tokenFor } from "../support/client.ts";
import { dial, rawRequest } from "../support/raw.ts";

/* What a client that may do nothing costs. */

const BODY = JSON.stringify({ target: { topic: "orders" }, data: "x".repeat(100_000) });

test.each([
  { who: "nobody", authorization: undefined },
  { who: "a forger", authorization: `Bearer ${await tokenFor("eve", {}, "e".repeat(32))}` },
])("$who is refused before the body comes, and the connection goes on", async ({ authorization }) => {
  const { url, stop } = await start();
  onTestFinished(async () => void (await stop(0)));
  const socket = await dial(url);
  onTestFinished(() => void socket.destroy());
  const head = (headers: Readonly<Record<string, string | undefined>>) =>
    rawRequest("POST /v1/messages", {
      ...{ host: "localhost", "content-type": "application/json" },
      ...{ "content-length": `${BODY.length}`, ...headers },
    });
  const answer = async () => String((await once(socket, "data"))[0]);
  socket.write(head({ authorization }));
  expect(await answer()).toMatch(/^HTTP\/1\.1 401 /);
  socket.write(BODY + head({ authorization: `Bearer ${await tokenFor("producer")}` }) + BODY);
  expect(await answer()).toMatch(/^HTTP\/1\.1 202 /);
});
