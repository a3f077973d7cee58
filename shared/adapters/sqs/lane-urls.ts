import { ListDeadLetterSourceQueuesCommand, ListQueueTagsCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { type Lane, laneNamed } from "../../protocol/lane.ts";
import { LANE_TAG } from "../../settings/queues.ts";
import { onQueue } from "../sdk/client.ts";

/**
 * The lanes behind a dead-letter queue: the addresses of the queues that name it in their redrive policy and have the
 * tag of a lane. The names of queues are CloudFormation's and say nothing. Faults are QUEUE_UNAVAILABLE.
 */
export const laneUrlsOf = (
  client: SQSClient,
  deadLetterUrl: string,
): Promise<Partial<Record<Lane, string>>> =>
  onQueue("the lanes of the dead-letter queue not found", async () => {
    const tagged = (await sourcesOf(client, deadLetterUrl)).map(async (QueueUrl) => {
      const { Tags } = await client.send(new ListQueueTagsCommand({ QueueUrl }));
      const lane = laneNamed(Tags?.[LANE_TAG]);
      return lane === undefined ? [] : [[lane, QueueUrl] as const];
    });
    return Object.fromEntries((await Promise.all(tagged)).flat());
  });

/** Queues per page; SQS pages only if it is told how many. */
const PAGE = 100;

async function sourcesOf(client: SQSClient, QueueUrl: string): Promise<string[]> {
  const urls: string[] = [];
  let NextToken: string | undefined;
  do {
    const page = await client.send(
      new ListDeadLetterSourceQueuesCommand({
        QueueUrl,
        MaxResults: PAGE,
        ...(NextToken ? { NextToken } : {}),
      }),
    );
    urls.push(...(page.queueUrls ?? []));
    NextToken = page.NextToken;
  } while (NextToken);
  return urls;
}
