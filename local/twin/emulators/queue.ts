import { CreateQueueCommand, SQSClient, type SQSClientConfig } from "@aws-sdk/client-sqs";
import { buildApp } from "fauxqs";
import { LANES, type Lane } from "../../../shared/protocol/lane.ts";
import { MAX_RECEIVES } from "../../../shared/protocol/limits.ts";
import { visibilitySeconds } from "../../../shared/settings/derived.ts";
import { LANE_TAG } from "../../../shared/settings/queues.ts";
import type { Settings } from "../../../shared/settings/schema.ts";
import type { QueueSize, Queues as QueuesOfRouter, StoredDeadLetter } from "../../testing/queues.ts";
import { CREDENTIALS, queueArn, REGION } from "./aws.ts";

export interface Queues extends QueuesOfRouter {
  readonly endpoint: string;
  readonly urls: Readonly<Record<Lane, string>>;
  readonly deadLetterUrl: string;
  stop(): Promise<void>;
}

export const queueName = (lane: Lane): string => `tagwire-${lane}`;
const DEAD_LETTERS = "tagwire-dead-letters";

/** SQS in memory on the loopback address, with a queue per lane and their dead-letter queue. */
export async function startQueues(settings: Settings, maxReceives = MAX_RECEIVES): Promise<Queues> {
  // Not startFauxqs: it listens on every interface (fauxqs 1.9), and this must stay on the loopback address.
  const app = buildApp({ logger: false, defaultRegion: REGION });
  const endpoint = await app.listen({ port: 0, host: "127.0.0.1" });
  const client = sqsClient(endpoint);
  const days = (count: number) => String(Math.ceil(count * 86_400));
  const { retentionDays, deadLetterRetentionDays } = settings;
  const deadLetterUrl = await create(client, DEAD_LETTERS, {
    MessageRetentionPeriod: days(deadLetterRetentionDays),
  });
  const attributes = {
    VisibilityTimeout: String(Math.ceil(visibilitySeconds(settings))),
    MessageRetentionPeriod: days(retentionDays),
    RedrivePolicy: JSON.stringify({
      deadLetterTargetArn: queueArn(DEAD_LETTERS),
      maxReceiveCount: maxReceives,
    }),
  };
  const urls = await byLane((lane) => create(client, queueName(lane), attributes, { [LANE_TAG]: lane }));
  client.destroy();

  const inspect = async (name: string): Promise<Inspected> =>
    (await app.inject({ url: `/_fauxqs/queues/${name}` })).json();
  return {
    endpoint,
    urls,
    deadLetterUrl,
    sizes: async () => {
      const rows: Listed[] = (await app.inject({ url: "/_fauxqs/queues" })).json();
      const named = new Map(rows.map((row) => [row.name, row]));
      return byLane(async (lane) => sizeOf(named.get(queueName(lane))));
    },
    deadLetterCount: async () => {
      const rows: Listed[] = (await app.inject({ url: "/_fauxqs/queues" })).json();
      const { visible, inFlight, delayed } = sizeOf(rows.find(({ name }) => name === DEAD_LETTERS));
      return visible + inFlight + delayed;
    },
    deadLetters: async () => {
      const { ready, delayed, inflight } = (await inspect(DEAD_LETTERS)).messages;
      return [...ready, ...delayed, ...inflight.map(({ message }) => message)].map(deadLetter);
    },
    stop: () => app.close(),
  };
}

/** A client that stays on the endpoint: a queue's own address is a name that may not resolve. */
export const sqsClient = (
  endpoint: string,
  credentials: NonNullable<SQSClientConfig["credentials"]> = CREDENTIALS,
): SQSClient =>
  new SQSClient({
    endpoint,
    region: REGION,
    credentials,
    useQueueUrlAsEndpoint: false,
    md5: false,
  });

async function create(
  client: SQSClient,
  QueueName: string,
  Attributes: Record<string, string>,
  tags: Record<string, string> = {},
): Promise<string> {
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName, Attributes, tags }));
  if (QueueUrl === undefined) throw new Error(`no address for queue ${QueueName}`);
  return QueueUrl;
}

async function byLane<T>(make: (lane: Lane) => Promise<T>): Promise<Readonly<Record<Lane, T>>> {
  const entries = await Promise.all(LANES.map(async (lane) => [lane, await make(lane)] as const));
  return Object.fromEntries(entries) as Record<Lane, T>;
}

interface Listed {
  readonly name: string;
  readonly approximateMessageCount: number;
  readonly approximateInflightCount: number;
  readonly approximateDelayedCount: number;
}

interface Stored {
  readonly messageId: string;
  readonly body: string;
  readonly messageAttributes: Readonly<Record<string, { readonly StringValue?: string }>>;
}

interface Inspected {
  readonly messages: {
    readonly ready: readonly Stored[];
    readonly delayed: readonly Stored[];
    readonly inflight: readonly { readonly message: Stored }[];
  };
}

const sizeOf = (row: Listed | undefined): QueueSize => ({
  visible: row?.approximateMessageCount ?? 0,
  inFlight: row?.approximateInflightCount ?? 0,
  delayed: row?.approximateDelayedCount ?? 0,
});

const deadLetter = ({ messageId, body, messageAttributes }: Stored): StoredDeadLetter => ({
  messageId,
  body,
  attributes: Object.fromEntries(
    Object.entries(messageAttributes).map(([name, value]) => [name, value.StringValue ?? ""]),
  ),
});
