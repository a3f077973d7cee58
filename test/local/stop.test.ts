import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { expect, onTestFinished, test } from "vitest";
import { sqsClient } from "../../local/twin/emulators/queue.ts";
import { latch, open, startTiny } from "./support.ts";

async function send(env: Readonly<Record<string, string | undefined>> | undefined, DelaySeconds = 0) {
  const client = sqsClient(env?.AWS_ENDPOINT_URL_SQS ?? "");
  onTestFinished(() => client.destroy());
  await client.send(
    new SendMessageCommand({ QueueUrl: env?.QUEUE_URL_LOW, MessageBody: "hello", DelaySeconds }),
  );
}

test("a stop lets running work end, takes no more, and closes sockets with 1001", async () => {
  const { release, released } = latch();
  const router = await startTiny({
    receipts: () => async () => {
      await released;
      return { statusCode: 200, body: "in time" };
    },
  });
  const client = await open(router.socketUrl);
  const [under] = [fetch(`${router.url}/v1/messages/a`), await fetch(`${router.url}/health`)];
  const stopped = router.stop();
  const late = await fetch(`${router.url}/v1/messages`, { method: "POST" });
  expect(late.status).toBe(503);
  expect(await late.json()).toMatchObject({ code: "QUEUE_UNAVAILABLE" });
  release();
  expect(await (await under).text()).toBe("in time");
  expect(await client.closed).toBe(1001);
  expect(await stopped).toEqual({ left: 0 });
  await expect(fetch(`${router.url}/health`)).rejects.toThrow();
});

test("a stop finishes what is queued", async () => {
  const router = await startTiny();
  await send(router.seen.worlds.consume?.env);
  expect(await router.stop()).toEqual({ left: 0 });
  expect(router.seen.batches).toHaveLength(1);
});

test("a stop says how many messages it left behind", async () => {
  const router = await startTiny();
  await send(router.seen.worlds.consume?.env, 900);
  expect(await router.stop(50)).toEqual({ left: 1 });
});

test("a taken port is an error, and nothing stays behind", async () => {
  const { url } = await startTiny();
  const port = Number(new URL(url).port);
  await expect(startTiny({}, { port })).rejects.toMatchObject({ code: "EADDRINUSE", port });
});
