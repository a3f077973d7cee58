import { PurgeQueueCommand } from "@aws-sdk/client-sqs";
import { sqsClient, startQueues } from "../../local/stand-in/queue.ts";
import { LANES, type Lane } from "../../shared/domain/lane.ts";
import { settings } from "../../shared/settings.ts";
import { serveParent } from "../child.ts";

export interface QueueReady {
  readonly endpoint: string;
  readonly urls: Readonly<Record<Lane, string>>;
}

const { endpoint, urls } = await startQueues(settings());
const client = sqsClient(endpoint);

/** The lanes, in memory; empties them when asked. */
serveParent<QueueReady, "empty", boolean>({ endpoint, urls }, async () => {
  await Promise.all(LANES.map((lane) => client.send(new PurgeQueueCommand({ QueueUrl: urls[lane] }))));
  return true;
});
