import { afterAll, beforeAll, expect, type TestContext, test } from "vitest";
import type { Router } from "../../../local/options.ts";
import { sqsClient } from "../../../local/twin/emulators/queue.ts";
import { startTwin } from "../../../local/twin/start.ts";
import { type Layer, startFront } from "../../../testing/front.ts";
import { inputOf, json } from "../../../testing/json.ts";
import { operationOf } from "../../../testing/service.ts";
import { LIST_SOURCES, sourceQueues } from "../../../testing/source-queues.ts";
import { upstream } from "../../../testing/upstream.ts";
import { command } from "../../support/command.ts";
import { receipt } from "../../support/http.ts";
import { deadLetters, idsOn, impatient, placeOf, postMany, userWithBusy } from "./support.ts";

let router: Router;
beforeAll(async () => {
  router = await startTwin(impatient(1));
});
afterAll(() => router.stop(0));

const MESSAGES = 6;
/** Milliseconds: a message whose outcome could not be written comes back after its lease, which is 70 s. */
const PATIENCE = 90_000;
/** So that a redrive has three batches, and can be killed between two. */
const RATE = "2";

/**
 * Stands between a command and its queues, and calls `kill` at one moment: before a call of this kind is passed
 * on, or after the queue has answered it.
 */
async function proxyTo(
  { onTestFinished }: TestContext,
  endpoint: string,
  moment: Moment,
  kill: () => void,
): Promise<string> {
  let calls = 0;
  const layer: Layer = async (request, next) => {
    const isIt = operationOf(request) === moment.call && ++calls === (moment.nth ?? 1);
    if (isIt && moment.when === "before") return killed();
    const response = await next(request);
    return isIt ? killed() : response;
  };
  // A command that is killed hears nothing more.
  const killed = () => {
    kill();
    return new Promise<never>(() => {});
  };
  const behind = upstream(endpoint);
  const client = sqsClient(endpoint);
  const sources: Layer = async (request, next) =>
    request.headers["x-amz-target"] === LIST_SOURCES
      ? json(await sourceQueues(client, inputOf<{ QueueUrl: string }>(request).QueueUrl))
      : next(request);
  const front = await startFront([sources, layer], behind.call);
  onTestFinished(async () => {
    await front.stop();
    client.destroy();
    behind.stop();
  });
  return front.url;
}

interface Moment {
  readonly when: "before" | "after";
  readonly call: "ReceiveMessage" | "SendMessageBatch" | "DeleteMessageBatch";
  readonly nth?: number;
}

/** Redrives in a process of its own, and kills it at the moment. Answers its exit code: null once killed. */
async function killedRedrive(context: TestContext, moment: Moment): Promise<number | null> {
  const { queueUrl, endpoint } = await placeOf(router);
  let kill = () => {};
  const proxy = await proxyTo(context, endpoint, moment, () => kill());
  const { child, finished } = command(["dead-letters", "redrive", "--rate", RATE, "--hold", "1"], {
    TAGWIRE_DEAD_LETTER_QUEUE_URL: queueUrl,
    AWS_ENDPOINT_URL_SQS: proxy,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
  });
  kill = () => child.kill("SIGKILL");
  return (await finished)[0];
}

test.for<Moment>([
  { when: "before", call: "SendMessageBatch" },
  { when: "after", call: "SendMessageBatch" },
  { when: "before", call: "DeleteMessageBatch", nth: 2 },
  { when: "after", call: "DeleteMessageBatch" },
  { when: "after", call: "ReceiveMessage", nth: 2 },
])(
  "a redrive that is killed $when $call loses nothing and repeats nothing",
  { timeout: 3 * PATIENCE },
  async (moment, context) => {
    const user = `${moment.when}-${moment.call}`;
    const { quick, busy, read } = await userWithBusy(router, user);
    const ids = (await postMany(router, user, MESSAGES)).toSorted();
    await router.spy.idle({ timeout: PATIENCE });
    expect(await router.spy.deadLetters()).toHaveLength(MESSAGES);

    read();
    expect(await killedRedrive(context, moment)).toBeNull();
    expect((await router.spy.deadLetters()).length).toBeGreaterThan(0);
    for (let runs = 0; (await router.spy.deadLetters()).length > 0 && runs < 30; runs++) {
      expect(await deadLetters(router, ["redrive"])).toMatchObject({ code: 0, err: "" });
    }
    await router.spy.idle({ timeout: PATIENCE });
    expect(await router.spy.deadLetters()).toEqual([]);
    expect(idsOn(busy)).toEqual(ids);
    expect(idsOn(quick)).toEqual(ids);
    const states = await Promise.all(ids.map(async (id) => (await receipt(router, id))["state"]));
    expect(states).toEqual(ids.map(() => "delivered"));
  },
);
