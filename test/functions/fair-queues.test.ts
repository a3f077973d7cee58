import { expect, test } from "vitest";
import { ingestHandler } from "../../functions/ingest.ts";
import { tokenFor } from "../support/client.ts";
import { httpPeer } from "../support/peer.ts";
import { emulators, postOf } from "./support.ts";

const functions = emulators({ fairQueues: false });

/** What a function puts into lanes: the stand-in for SQS does not tell a message's group, so the call itself is looked at. */
async function lanes() {
  const { url, requests } = await httpPeer(({ body }) => {
    const { Entries: entries = [] } = body as { Entries?: readonly { Id: string }[] };
    return {
      status: 200,
      body: { Successful: entries.map(({ Id }) => ({ Id, MessageId: Id })), Failed: [] },
    };
  });
  const entries = () =>
    requests.flatMap(({ body }) => (body as { Entries?: readonly { Id: string }[] }).Entries ?? []);
  return { env: { AWS_ENDPOINT_URL_SQS: url }, entries };
}

test("a message is in nobody's group where queues are not to be fair", async () => {
  const { env, entries } = await lanes();
  const { runtime } = functions.runtime("ingest");
  const event = postOf(await tokenFor("producer"), { target: { topic: "orders" }, data: 1 });
  const answer = await ingestHandler({ ...runtime, env: { ...runtime.env, ...env } })(event);
  expect(answer).toMatchObject({ statusCode: 202 });
  expect(entries()).toHaveLength(1);
  expect(entries()[0]).not.toHaveProperty("MessageGroupId");
});
