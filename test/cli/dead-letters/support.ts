import { SendMessageCommand } from "@aws-sdk/client-sqs";
import type { TestContext } from "vitest";
import type { Router, StartOptions } from "../../../local/options.ts";
import { sqsClient } from "../../../local/twin/emulators/queue.ts";
import { startTwin } from "../../../local/twin/start.ts";
import { connect, type TestSocket } from "../../support/client.ts";
import { type Finished, tagwire } from "../../support/command.ts";
import { post } from "../../support/http.ts";
import { patient } from "../../support/patient.ts";
import type { StartRouter } from "../../support/runtimes.ts";

/**
 * Settings under which a connection may stay busy for so many rounds of one send each. The functions wait for their
 * queues: a message that ingest sent twice, since the answer came late, is a dead letter twice.
 */
export const impatient = (rounds: number): StartOptions => ({
  settings: patient({
    deliveryRounds: rounds,
    advanced: { sendAttempts: 1, backoff: { baseSeconds: 1, capSeconds: 1 } },
  }),
});

/** An impatient router for one test. */
export async function startImpatient(
  { onTestFinished }: Pick<TestContext, "onTestFinished">,
  rounds: number,
  startRouter: StartRouter = startTwin,
): Promise<Router> {
  const router = await startRouter(impatient(rounds));
  onTestFinished(async () => {
    await router.stop(0);
  });
  return router;
}

export const deadLetters = (router: Router, argv: readonly string[]): Promise<Finished> =>
  tagwire(["dead-letters", ...argv], { env: { TAGWIRE_URL: router.url } });

/** The JSON values that a command printed. */
export const printed = ({ out }: Finished): Record<string, unknown>[] =>
  out
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

/** A user with one connection that takes everything, and one that is busy until it is told to `read`. */
export async function userWithBusy(router: Router, user: string, status = 503) {
  const quick = await connect(router, user);
  const busy = await connect(router, user);
  const id = router.spy.connections().at(-1) ?? "";
  const read = router.spy.startOutage(status, {
    concerns: ({ method, connectionId }) => method === "POST" && connectionId === id,
  });
  return { quick, busy, read };
}

export async function postMany(router: Router, user: string, count: number): Promise<string[]> {
  const answers = await Promise.all(
    Array.from({ length: count }, (_, i) => post(router, { target: { user }, data: i })),
  );
  return answers.map(({ id }) => id);
}

/** The ids of the messages that came over a socket, once for each time. */
export const idsOn = (socket: TestSocket): string[] =>
  socket
    .buffered()
    .map((frame) => (frame as { id: string }).id)
    .toSorted();

/** Where a local router's dead letters are. */
export async function placeOf({ url }: Router): Promise<{ queueUrl: string; endpoint: string }> {
  const response = await fetch(`${url}/health`);
  const { deadLetters: place } = (await response.json()) as {
    deadLetters: { queueUrl: string; endpoint: string };
  };
  return place;
}

/** Puts a body into a queue, as anyone with access to it can. */
export async function sendRaw(router: Router, queue: string, MessageBody: string): Promise<void> {
  const { queueUrl, endpoint } = await placeOf(router);
  const client = sqsClient(endpoint);
  const QueueUrl = queueUrl.replace("dead-letters", queue);
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  client.destroy();
}
