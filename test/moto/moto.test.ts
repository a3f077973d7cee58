import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type Front, startFront } from "../../testing/front.ts";
import { json } from "../../testing/json.ts";
import { tokenFor } from "../support/client.ts";
import { PLACE } from "./support/account.ts";
import { type Deployment, deploy } from "./support/deployment.ts";
import { type Moto, startMoto } from "./support/server.ts";

/*
 * The synthesised functions against moto, which checks signatures by botocore's code and policies by its own. It has
 * no gateway and no event sources: events are made here, and what is posted to a connection ends here.
 */
let moto: Moto;
let deployment: Deployment;
let gateway: Front;
const posted: string[] = [];

beforeAll(async () => {
  gateway = await startFront([], async ({ path }) => {
    posted.push(path);
    return json({});
  });
  moto = await startMoto();
  deployment = await deploy(moto, `${gateway.url}/live`);
  await moto.enforce();
});
afterAll(async () => {
  await deployment?.stop();
  await moto?.stop();
  await gateway.stop();
});

const http = async (method: string, fields: object = {}) => ({
  headers: { authorization: `Bearer ${await tokenFor("ann")}`, "content-type": "application/json" },
  requestContext: { http: { method } },
  ...fields,
});
const aPost = () =>
  http("POST", { body: JSON.stringify({ id: "m-1", target: { topic: "orders" }, data: 1 }) });
const CONNECTION = { connectionId: "c-1=", connectedAt: Date.now() };
const connectEvent = async () => ({
  headers: {},
  queryStringParameters: { token: await tokenFor("ann") },
  requestContext: { ...CONNECTION, routeKey: "$connect", eventType: "CONNECT" },
});
const aFrame = (frame: object) => ({
  requestContext: { ...CONNECTION, routeKey: "$default", eventType: "MESSAGE" },
  body: JSON.stringify(frame),
});

/** Receives in the name of the consumer, as an event source does. */
async function receive(): Promise<object> {
  const client = new SQSClient({
    ...{ endpoint: moto.endpoint, region: PLACE.region, credentials: deployment.callers.consume },
    useQueueUrlAsEndpoint: false,
  });
  const { Messages = [] } = await client.send(
    new ReceiveMessageCommand({
      ...{ QueueUrl: deployment.queueUrls["QUEUE_URL_NORMAL"], MaxNumberOfMessages: 10 },
      MessageSystemAttributeNames: ["All"],
    }),
  );
  client.destroy();
  return {
    Records: Messages.map(({ MessageId, Body, ReceiptHandle, Attributes }) => ({
      ...{ messageId: MessageId, body: Body, receiptHandle: ReceiptHandle, attributes: Attributes },
      eventSourceARN: `arn:aws:sqs:${PLACE.region}:${PLACE.account}:queue-url-normal`,
    })),
  };
}

test("a client connects and subscribes; a message is taken, delivered, read and cancelled", async () => {
  expect(await deployment.invoke("socket", await connectEvent())).toMatchObject({ statusCode: 200 });
  const subscribed = await deployment.invoke("socket", aFrame({ type: "subscribe", topics: ["orders"] }));
  expect(JSON.parse((subscribed as { body: string }).body)).toMatchObject({ type: "subscribed" });
  expect(await deployment.invoke("ingest", await aPost())).toMatchObject({ statusCode: 202 });
  expect(await deployment.invoke("consume", await receive())).toEqual({ batchItemFailures: [] });
  expect(posted).toHaveLength(1);
  const pathParameters = { id: "m-1" };
  for (const method of ["GET", "DELETE"]) {
    const read = await deployment.invoke("receipts", await http(method, { pathParameters }));
    expect(read).toMatchObject({ statusCode: 200, body: expect.stringContaining('"delivered"') });
  }
});

const STRANGERS = [
  { who: "another secret", caller: () => ({ ...deployment.callers.ingest, secretAccessKey: "another" }) },
  { who: "the role of a function that may do something else", caller: () => deployment.callers.socket },
];

describe.each(STRANGERS)("with $who", ({ caller }) => {
  test("a call is refused", async () => {
    const client = new SQSClient({
      ...{ endpoint: moto.endpoint, region: PLACE.region, credentials: caller() },
      useQueueUrlAsEndpoint: false,
    });
    onTestFinished(() => client.destroy());
    const message = { QueueUrl: deployment.queueUrls["QUEUE_URL_HIGH"], MessageBody: "{}" };
    await expect(client.send(new SendMessageCommand(message))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 403 },
    });
  });

  test("nothing is taken", async () => {
    expect(await deployment.invoke("ingest", await aPost(), caller())).toMatchObject({ statusCode: 503 });
  });
});
