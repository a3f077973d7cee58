import { SQSClient } from "@aws-sdk/client-sqs";
import { emfTelemetry } from "../../shared/adapters/emf/telemetry.ts";
import { clientConfig } from "../../shared/adapters/sdk/client.ts";
import { type SqsQueueOptions, sqsQueue } from "../../shared/adapters/sqs/message-queue.ts";
import type { MessageQueue, RunTelemetry } from "../../shared/ports.ts";
import { LANES, type Lane } from "../../shared/protocol/lane.ts";
import { QUEUE_URL } from "../../shared/settings/queues.ts";
import type { Settings } from "../../shared/settings/schema.ts";
import type { FunctionName } from "../../shared/settings/variables.ts";
import { type ClientLimits, clientOptions } from "./clients.ts";
import type { Runtime } from "./runtime.ts";

/** What makes the telemetry of a run. */
export const telemetryOf = (
  { write }: Pick<Runtime, "write">,
  service: FunctionName,
  router: string,
  { detailedLog }: Pick<Settings, "detailedLog">,
): (() => RunTelemetry) =>
  emfTelemetry({ ...{ service, router, write }, level: detailedLog ? "info" : "warn" });

/** How long a function runs, in seconds, or the part of it that must be enough for two calls. */
export type Time = Pick<ClientLimits, "timeoutSeconds">;

export const queueClient = (runtime: Runtime, { timeoutSeconds }: Time): SQSClient =>
  new SQSClient({
    ...clientConfig(runtime.env, "SQS"),
    ...clientOptions({ timeoutSeconds, maxSockets: 50 }),
    useQueueUrlAsEndpoint: false,
    md5: false,
  });

/**
 * What the clients of the consumer have: a call that hangs when the run starts no more sends, and the one that then
 * writes what became of the message, are over within the reserve.
 */
export const reserveOf = ({ advanced }: Pick<Settings, "advanced">): Time => ({
  timeoutSeconds: advanced.reserveMilliseconds / 1_000,
});

/** `env` has a QUEUE_URL for each lane. */
export function queueOf(
  client: SQSClient,
  env: Readonly<Record<string, string>>,
  { fair, warn }: Pick<SqsQueueOptions, "fair" | "warn">,
): MessageQueue {
  const urls = Object.fromEntries(LANES.map((lane) => [lane, env[QUEUE_URL[lane]] ?? ""]));
  const deadLetterUrl = env["DEAD_LETTER_QUEUE_URL"];
  return sqsQueue({
    client,
    urls: urls as Record<Lane, string>,
    ...(deadLetterUrl ? { deadLetterUrl } : {}),
    fair,
    ...(warn ? { warn } : {}),
  });
}
