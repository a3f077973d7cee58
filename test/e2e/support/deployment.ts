import { DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import {
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { inject, vi } from "vitest";
import type { Lane } from "../../../shared/protocol/lane.ts";
import { queueOutput } from "../../../shared/settings/queues.ts";
import type { TableName } from "../../../shared/settings/tables.ts";
import { signToken } from "../../../testing/sign-token.ts";
import { CREDENTIALS, clientConfig, REGION } from "../harness/aws.ts";
import { FAULTS, type Fault } from "../harness/front.ts";

export interface QueuedDeadLetter {
  readonly body: string;
  readonly reason?: string;
}

/** A deployed router: what a user has of it, and what someone with access to the account can do. */
export interface Deployment {
  readonly url: string;
  readonly socketUrl: string;
  readonly tables: Readonly<Record<Exclude<TableName, "streams">, string>>;
  readonly dynamo: DynamoDBClient;
  /** What `tagwire` needs to know of it. */
  readonly env: Readonly<Record<string, string>>;
  /** A token with every grant, or with those given. */
  token(sub: string, claims?: Readonly<Record<string, unknown>>, secret?: string): Promise<string>;
  /** Ids of a user's connections. */
  connectionsOf(user: string): Promise<readonly string[]>;
  /** Puts a body into a lane past the API. */
  enqueue(lane: Lane, body: string): Promise<void>;
  /** Takes the dead letter whose body contains the text out of its queue, as soon as it is there. */
  deadLetter(text: string, timeout?: number): Promise<QueuedDeadLetter>;
  /** The next posts to a connection get these statuses. */
  failSends(connectionId: string, statuses: readonly number[]): Promise<void>;
  /** The next calls that read or write a receipt get these statuses. */
  failReceipt(producer: string, id: string, statuses: readonly number[]): Promise<void>;
}

export function deployment(): Deployment {
  const { endpoint, outputs, secret } = inject("deployed");
  const sqs = new SQSClient({ ...clientConfig(endpoint), useQueueUrlAsEndpoint: false });
  const dynamo = new DynamoDBClient(clientConfig(endpoint));
  const output = (name: string): string => {
    const value = outputs[name];
    if (!value) throw new Error(`the stack has no output ${name}`);
    return value;
  };
  const tables = {
    connections: output("ConnectionsTableName"),
    subscriptions: output("SubscriptionsTableName"),
    receipts: output("ReceiptsTableName"),
    quotas: output("QuotasTableName"),
  };
  const deadLetters = output("DeadLetterQueueUrl");
  const fail = async (fault: Fault) => {
    await fetch(endpoint + FAULTS, { method: "PUT", body: JSON.stringify(fault) });
  };
  return {
    url: output("HttpUrl"),
    socketUrl: output("SocketUrl"),
    tables,
    dynamo,
    env: {
      TAGWIRE_URL: output("HttpUrl"),
      TAGWIRE_SECRET: secret,
      TAGWIRE_DEAD_LETTER_QUEUE_URL: deadLetters,
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    },
    token: (sub, claims = {}, key = secret) =>
      signToken({ subscribe: ["*"], publish: ["*"], ...claims, sub }, { secret: key }),
    async connectionsOf(user) {
      const { Items = [] } = await dynamo.send(
        new QueryCommand({
          TableName: tables.subscriptions,
          ConsistentRead: true,
          KeyConditionExpression: "tag = :tag",
          ExpressionAttributeValues: { ":tag": { S: `user:${user}` } },
        }),
      );
      return Items.map(({ key }) => key?.S?.split("#")[1] ?? "");
    },
    async enqueue(lane, body) {
      const QueueUrl = output(queueOutput(lane));
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: body }));
    },
    deadLetter: (text, timeout = 15_000) =>
      vi.waitFor(
        async () => {
          const { Messages = [] } = await sqs.send(
            new ReceiveMessageCommand({
              QueueUrl: deadLetters,
              MaxNumberOfMessages: 10,
              VisibilityTimeout: 0,
              MessageAttributeNames: ["All"],
            }),
          );
          const found = Messages.find(({ Body = "" }) => Body.includes(text));
          if (!found) throw new Error(`no dead letter contains ${text}`);
          await sqs.send(
            new DeleteMessageCommand({ QueueUrl: deadLetters, ReceiptHandle: found.ReceiptHandle }),
          );
          const reason = found.MessageAttributes?.["reason"]?.StringValue;
          return { body: found.Body ?? "", ...(reason === undefined ? {} : { reason }) };
        },
        { timeout, interval: 100 },
      ),
    failSends: (connectionId, statuses) => fail({ contains: `/@connections/${connectionId}`, statuses }),
    failReceipt: (producer, id, statuses) => fail({ contains: `"${producer}#${id}"`, statuses }),
  };
}
