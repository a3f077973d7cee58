import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FUNCTIONS } from "../../shared/settings/variables.ts";
import type { Access } from "../../testing/policy.ts";
import { connect, type TestSocket, tokenFor } from "../support/client.ts";
import { post, receipt } from "../support/http.ts";
import { refused } from "../support/socket.ts";
import { type BundledRouter, startBundles } from "./support/router.ts";

/** A few sockets are an audience too large for one run. */
const SETTINGS = {
  recipientsPerRun: 4,
  // So few that ten sends wait for turns, and their container beats.
  quotaRequestsPerSecond: 400,
  advanced: {
    backlogRefreshIntervalMilliseconds: 1,
    firstPageSize: 4,
    pageSize: 8,
    backoff: { baseSeconds: 1, capSeconds: 1 },
  },
};
const LANES = ["high", "normal", "low"] as const;

let router: BundledRouter;
const sockets: TestSocket[] = [];
beforeAll(async () => {
  router = await startBundles(SETTINGS);
});
afterAll(() => router.stop(0));

/** What came of a message, once it has an ending. */
const ended = async (id: string): Promise<Record<string, unknown>> => {
  await router.spy.idle({ timeout: 20_000 });
  return receipt(router, id);
};

const left = async (socket: TestSocket) => {
  await socket.close();
  return "came";
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
    // A function that has no secret yet asks for it once a second.
    const works = { timeout: 10_000 };
    const target = { user: "nobody" };
    await expect.poll(async () => (await post(router, { target, data: 1 })).status, works).toBe(202);
    await expect.poll(async () => (await receipt(router, "m"))["code"], works).toBe("RECEIPT_NOT_FOUND");
    await expect.poll(async () => connect(router, "ann").then(left, () => "refused"), works).toBe("came");
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
    const { id } = await post(router, { target: { user: "user-0" }, data: 1, delaySeconds: 1 });
    await receipt(router, id, { method: "DELETE" });
    expect(await ended(id)).toMatchObject({ state: "cancelled" });
  });

  test("a message of each lane is retried until nobody is left", async () => {
    const before = router.spy.connections().length;
    const pairs: TestSocket[] = [];
    for (const lane of LANES) {
      pairs.push(await connect(router, `retried-${lane}`), await connect(router, `retried-${lane}`));
    }
    // A run tries three times, and later ones once: the first run serves nobody, the second one half.
    for (const [index, id] of router.spy.connections().slice(before).entries()) {
      router.spy.failSends(id, Array(index % 2 === 0 ? 3 : 4).fill(503));
    }
    const posts = LANES.map((lane) =>
      post(router, { target: { user: `retried-${lane}` }, data: 1, priority: lane }),
    );
    for (const { id } of await Promise.all(posts)) {
      expect(await ended(id)).toMatchObject({ state: "delivered", counts: { sent: 2 } });
    }
    for (const socket of pairs) {
      expect(socket.buffered()).toHaveLength(1);
      await socket.close();
    }
  });

  test.each(
    LANES,
  )("a message to more connections than one run serves is split, and a second POST of its id is a duplicate: %s", async (priority) => {
    router.spy.failSends(router.spy.connections()[0] ?? "", [503, 503, 503]);
    const id = `split-${priority}`;
    const message = { id, target: { everyone: true }, data: 1, priority };
    expect(await post(router, message)).toMatchObject({ status: 202 });
    const first = await ended(id);
    expect(first).toMatchObject({ state: "delivered", counts: { sent: 10 } });
    expect(first["jobs"]).toBeGreaterThan(1);
    expect(await post(router, message)).toMatchObject({ status: 202 });
    expect(await ended(id)).toMatchObject({ state: "delivered", counts: { sent: 10 } });
    for (const socket of sockets) {
      expect(socket.buffered().filter((frame) => (frame as { id: string }).id === id)).toHaveLength(1);
    }
    expect(await router.spy.deadLetters()).toEqual([]);
  });

  test("the receipt of a message that was refused for good names the connection", async () => {
    const [connection = ""] = router.spy.connections();
    router.spy.failSends(connection, [413]);
    const { id } = await post(router, { target: { connection }, data: 1 });
    expect(await ended(id)).toMatchObject({ state: "partial", failed: [connection] });
  });

  test("a message to a tag expression goes to those who hold all its tags", async () => {
    const target = { tags: { all: ["rare:yes"], none: ["user:user-0"] } };
    const { id } = await post(router, { target, data: 1 });
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

  test("a connection whose token ends loses its socket at the next frame", async () => {
    const socket = await connect(router, "ending", [], { exp: Math.floor(Date.now() / 1_000) + 2 });
    const answerToPing = async () => {
      socket.send({ type: "ping" });
      return socket.next();
    };
    // As seldom as the limit of frames allows on any machine.
    await expect
      .poll(answerToPing, { interval: 100, timeout: 10_000 })
      .toMatchObject({ type: "error", code: "TOKEN_EXPIRED" });
    await expect.poll(() => socket.isOpen()).toBe(false);
  });

  test("a token is refreshed, and then the user is disconnected", async () => {
    const socket = await connect(router, "kicked");
    socket.send({ type: "token", token: await tokenFor("kicked", { tags: ["plan:pro"] }) });
    expect(await socket.next()).toMatchObject({ type: "token", removed: [] });
    const headers = { authorization: `Bearer ${await tokenFor("ops", { admin: true })}` };
    const answer = await fetch(`${router.url}/v1/users/kicked/connections`, { method: "DELETE", headers });
    expect(await answer.json()).toEqual({ closed: 1, more: false });
    await expect.poll(() => socket.isOpen()).toBe(false);
    const one = await fetch(`${router.url}/v1/connections/gone%3D`, { method: "DELETE", headers });
    expect(await one.json()).toEqual({ closed: 0, more: false });
  });

  test("no call was refused", () => {
    expect(router.refusals.slice(known)).toEqual([]);
  });

  test("every grant was used, but those that only a service uses", () => {
    const unused = FUNCTIONS.flatMap((name) =>
      (router.policies[name]?.unused() ?? [])
        .map((access) => `${name} ${textOf(access)}`)
        .filter((grant) => !EXCEPTIONS.some(({ grants }) => grants.test(grant))),
    );
    expect(unused).toEqual([]);
  });
});

/** Grants that no call of a function shows, and why they are there. */
const EXCEPTIONS = [
  { grants: / logs:/, why: "Lambda writes what a function prints" },
  { grants: / kms:/, why: "SQS, DynamoDB and Secrets Manager use a customer's key in its name" },
  { grants: / xray:/, why: "Lambda sends traces" },
  { grants: /^consume sqs:GetQueue(Attributes|Url) /, why: "Lambda looks at the lanes that it polls" },
  { grants: / secretsmanager:DescribeSecret /, why: "CDK's grantRead gives it with GetSecretValue" },
  { grants: /^ingest sqs:GetQueueAttributes tagwire-(fanout-)?high$/, why: "no default limits those lanes" },
  {
    grants: /^ingest dynamodb:GetItem tagwire-quotas$/,
    why: "beats are read while jobs wait: test/functions has it",
  },
];

const textOf = ({ action, resource }: Access) => `${action} ${resource.split(/[:/]/).at(-1)}`;

const offer = async (user: string) => ["tagwire.v1", `token.${await tokenFor(user)}`];
