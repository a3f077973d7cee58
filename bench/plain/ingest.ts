import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";

/** POST /v1/messages as a sample writes it: no token, no schema, no limits. One call per message. */
export const plainIngest =
  (client: SQSClient, QueueUrl: string) =>
  async (event: Pick<APIGatewayProxyEventV2, "body">): Promise<APIGatewayProxyStructuredResultV2> => {
    const body: unknown = JSON.parse(event.body ?? "");
    const messages = Array.isArray(body) ? body : [body];
    const sent = await Promise.all(
      messages.map((message) =>
        client.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(message) })),
      ),
    );
    return { statusCode: 202, body: JSON.stringify(sent.map(({ MessageId }) => ({ id: MessageId }))) };
  };
