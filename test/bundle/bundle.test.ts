import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FUNCTIONS } from "../../shared/settings.ts";
import type { Access } from "../../testing/policy.ts";
import { connect, type TestSocket, tokenFor } from "../support/client.ts";
import { post, receipt } from "../support/http.ts";
import { refused } from "../support/socket.ts";
import { type BundledRouter, startBundles } from "./support/router.ts";

/** A few sockets are an audience too large for one run. */
const SETTINGS = {
  backlog: { lookEvery: 1 },
  delivery: { share: 4, firstPageSize: 4, pageSize: 8, backoff: { base: 1, cap: 1 } },
  queues: { maxReceives: 2 },
};
const LANES = ["high", "normal", "low"] as const;

let router: BundledRouter;
const sockets: TestSocket[] = [];
beforeAll(async () => {
  router = await startBundles(SETTINGS);
}, 60_000);
afterAll(() => router.stop(0));

/** What came of a message, once it has an ending. */
const ended = async (id: string): Promise<Record<string, unknown>> => {
  await router.spy.idle({ timeout: 20_000 });
  return receipt(router, id);
};

describe("where an endpoint computes another signature, nothing passes", () => {
  const SERVICES = ["secretsmanager", "sqs", "dynamodb", "execute-api"] as const;
  const refusalsOf = (service: string) => router.refusals.filter((one) => one.service === service);
  const invalid = expect.objectContaining({ code: "InvalidSignatureException" });

  test("the secret of the tokens is not read: POST, $connect and receipts fail", async () => {
    router.distrust("secretsmanager", true);
    expect((await post(router, { target: { everyone: true }, data: 1 })).status).toBeGreaterThanOrEqual(500);
    expect((await refused(router.socketUrl, await offer("ann"))).status).toBeGreaterThanOrEqual(500);
    expect(await receipt(router, "m")).not.toHaveProperty("state");
    router.distrust("secretsmanager", false);
    expect(refusalsOf("secretsmanager")).toContainEqual(invalid);
  });

  test("the queue takes no message", async () => {
    router.distrust("sqs", true);
    expect((await post(router, { target: { everyone: true }, data: 1 })).body).toMatchObject({
      code: "QUEUE_UNAVAILABLE",
    });
    router.distrust("sqs", false);
    expect(refusalsOf("sqs")).toContainEqual(invalid);
  });

  test("the tables keep no connection and show no receipt", async () => {
    router.distrust("dynamodb", true);
    expect(await refused(router.socketUrl, await offer("ann"))).toMatchObject({ status: 503 });
    expect(await receipt(router, "m")).toMatchObject({ code: "TABLE_UNAVAILABLE" });
    router.distrust("dynamodb", false);
    expect(refusalsOf("dynamodb")).toContainEqual(invalid);
  });

  test("the gateway hands nothing on", async () => {
    const ann = await connect(router, "ann");
    router.distrust("execute-api", true);
    await post(router, { target: { user: "ann" }, data: 1 });
    await expect.poll(() => refusalsOf("execute-api"), { timeout: 10_000 }).toContainEqual(invalid);
    expect(ann.buffered()).toEqual([]);
    router.distrust("execute-api", false);
    await router.spy.idle({ timeout: 20_000 });
    await ann.close();
  });

  afterAll(() => {
    for (const service of SERVICES) router.distrust(service, false);
  });
});

describe("deployed as it is synthesised", () => {
  let known = 0;
  beforeAll(async () => {
    known = router.refusals.length;
    for (let i = 0; i < 10; i++) sockets.push(await connect(router, `user-${i}`, i < 2 ? ["rare:yes"] : []));
  }, 30_000);
  afterAll(async () => {
    await Promise.all(sockets.map((socket) => socket.close()));
  });

  test("a client connects, subscribes, gets the message that was posted, and leaves", async () => {
    const socket = await connect(router, "ann");
    socket.send({ type: "subscribe", topics: ["orders"], ref: 1 });
    expect(await socket.next()).toEqual({ type: "subscribed", topics: ["orders"], ref: 1 });
    const posted = await post(router, { target: { topic: "orders" }, data: { total: 1 } });
    expect(posted.status).toBe(202);
    expect(await socket.next()).toMatchObject({ type: "message", id: posted.id, data: { total: 1 } });
    expect(await ended(posted.id)).toMatchObject({ state: "delivered", counts: { sent: 1 } });
    socket.send({ type: "unsubscribe", topics: ["orders"], ref: 2 });
    expect(await socket.next()).toEqual({ type: "unsubscribed", topics: ["orders"], ref: 2 });
    await socket.close();
  });

  test("a message for one connection is delivered", async () => {
    const [connection] = router.spy.connections();
    const { id } = await post(router, { target: { connection }, data: 1 });
    expect(await ended(id)).toMatchObject({ state: "delivered", counts: { sent: 1 } });
  });

  test("a message that was cancelled before its delay is over is not delivered", async () => {
    const { id } = await post(router, { target: { user: "user-0" }, data: 1, delaySeconds: 2 });
    await receipt(router, id, { method: "DELETE" });
    expect(await ended(id)).toMatchObject({ state: "cancelled" });
  });

  test.each(LANES)("a message of the %s lane is retried until nobody is left", async (priority) => {
    const before = router.spy.connections().length;
    const pair = [await connect(router, `retried-${priority}`), await connect(router, `retried-${priority}`)];
    const [first = "", second = ""] = router.spy.connections().slice(before);
    // Each run tries three times: the first run serves nobody, the second one the first connection.
    router.spy.failPosts(first, [503, 503, 503]);
    router.spy.failPosts(second, [503, 503, 503, 503, 503, 503]);
    const { id } = await post(router, { target: { user: `retried-${priority}` }, data: 1, priority });
    expect(await ended(id)).toMatchObject({ state: "delivered", counts: { sent: 2 } });
    for (const socket of pair) {
      expect(socket.buffered()).toHaveLength(1);
      await socket.close();
    }
  });

  test("a message to more connections than one run serves is split, and a second POST of its id is a duplicate", async () => {
    router.spy.failPosts(router.spy.connections()[0] ?? "", [503, 503, 503]);
    const message = { id: "split-1", target: { everyone: true }, data: 1 };
    expect(await post(router, message)).toMatchObject({ status: 202 });
    const first = await ended("split-1");
    expect(first).toMatchObject({ state: "delivered", counts: { sent: 10 } });
    expect(first["jobs"]).toBeGreaterThan(1);
    expect(await post(router, message)).toMatchObject({ status: 202 });
    expect(await ended("split-1")).toMatchObject({ state: "delivered", counts: { sent: 10 } });
    for (const socket of sockets) {
      expect(socket.buffered().filter((frame) => (frame as { id: string }).id === "split-1")).toHaveLength(1);
    }
    expect(await router.spy.deadLetters()).toEqual([]);
  });

  test("a message to a tag expression goes to those who hold all its tags", async () => {
    const target = { tags: { all: ["rare:yes", "everyone"] } };
    const { id } = await post(router, {
      target: { tags: { all: ["rare:yes"], none: ["user:user-0"] } },
      data: target,
    });
    expect(await ended(id)).toMatchObject({ state: "delivered", counts: { sent: 1 } });
  });

  test("a connection that is gone is forgotten", async () => {
    const hourAgo = Date.now() - 3_600_000;
    const token = await tokenFor("leaver", {});
    const requestContext = {
      ...{ routeKey: "$connect", eventType: "CONNECT", connectionId: "gone-for-long=" },
      connectedAt: hourAgo,
    };
    await router.invoke("socket", { headers: {}, queryStringParameters: { token }, requestContext });
    const target = { user: "leaver" };
    expect(await ended((await post(router, { target, data: 1 })).id)).toMatchObject({ counts: { gone: 1 } });
    expect(await ended((await post(router, { target, data: 2 })).id)).toMatchObject({
      state: "no-recipients",
    });
  });

  test("a body that no run can read goes to the dead-letter queue", async () => {
    const attributes = { ApproximateReceiveCount: "1" };
    const record = { messageId: "m", body: "{", receiptHandle: "h", attributes, eventSourceARN: "x-high" };
    expect(await router.invoke("consume", { Records: [record] })).toEqual({ batchItemFailures: [] });
    expect(await router.spy.deadLetters()).toHaveLength(1);
  });

  test("no call was refused", () => {
    expect(router.refusals.slice(known)).toEqual([]);
  });

  test("every grant was used, but those that only a service uses", () => {
    const unused = FUNCTIONS.flatMap((name) =>
      (router.policies[name]?.unused() ?? [])
        .filter(({ action }) => !SERVICE_ONLY.some((one) => one.action.test(action) && one.of.includes(name)))
        .map((access) => `${name} ${textOf(access)}`),
    );
    expect(unused).toEqual([]);
  });
});

/** Grants that no call of a function shows, and why they are there. */
const SERVICE_ONLY = [
  { action: /^logs:/, of: FUNCTIONS, why: "Lambda writes what a function prints" },
  {
    action: /^kms:/,
    of: FUNCTIONS,
    why: "SQS, DynamoDB and Secrets Manager use a customer's key in its name",
  },
  { action: /^xray:/, of: FUNCTIONS, why: "Lambda sends traces" },
  {
    action: /^sqs:GetQueue(Attributes|Url)$/,
    of: ["consume"],
    why: "Lambda looks at the lanes that it polls",
  },
  {
    action: /^secretsmanager:DescribeSecret$/,
    of: FUNCTIONS,
    why: "CDK's grantRead gives it with GetSecretValue",
  },
];

const textOf = ({ action, resource }: Access) => `${action} ${resource.split(/[:/]/).at(-1)}`;

const offer = async (user: string) => ["tagwire.v1", `token.${await tokenFor(user)}`];
