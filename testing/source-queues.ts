import { GetQueueAttributesCommand, ListQueuesCommand, type SQSClient } from "@aws-sdk/client-sqs";

/**
 * The output of ListDeadLetterSourceQueues, which neither fauxqs (1.9) nor MiniStack (1.5) has, by calls that they have:
 * the queues whose redrive policy names the dead-letter queue.
 */
export async function sourceQueues(
  client: SQSClient,
  deadLetterUrl: string,
): Promise<{ readonly queueUrls: readonly string[] }> {
  const { QueueUrls = [] } = await client.send(new ListQueuesCommand());
  const named = QueueUrls.map(async (QueueUrl) => {
    const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["RedrivePolicy"] });
    const { deadLetterTargetArn = "" } = JSON.parse(
      (await client.send(command)).Attributes?.["RedrivePolicy"] ?? "{}",
    );
    return String(deadLetterTargetArn).split(":").at(-1) === deadLetterUrl.split("/").at(-1)
      ? [QueueUrl]
      : [];
  });
  return { queueUrls: (await Promise.all(named)).flat() };
}

/** What a request names that operation by. */
export const LIST_SOURCES = "AmazonSQS.ListDeadLetterSourceQueues";
