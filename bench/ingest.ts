import { SQSClient } from "@aws-sdk/client-sqs";
import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { ingestFunction } from "../functions/aws/ingest.ts";
import type { Runtime } from "../functions/aws/runtime.ts";
import { CREDENTIALS, REGION } from "../local/twin/emulators/aws.ts";
import { requestHandler } from "../shared/adapters/sdk/client.ts";
import { DEV_SECRET } from "../shared/settings/dev-secret.ts";
import { settings } from "../shared/settings/settings.ts";
import { signToken } from "../testing/sign-token.ts";
import { type Calls, callsOf, sum } from "./calls.ts";
import { startChild } from "./child.ts";
import { perCpuSecond, rateOf, ratio } from "./measure.ts";
import { plainIngest } from "./plain/ingest.ts";
import type { BenchReport } from "./report.ts";
import type { QueueQuestion, QueueReady } from "./server/queue.ts";

const SIZES = [1, 10] as const;
const BYTES = 500;
const OURS = "Tagwire";
const SHIPPED = "only SendMessage, SDK as shipped";
const TUNED = "only SendMessage, SDK tuned";

/** Requests per CPU-second and AWS calls per message of POST /v1/messages. */
export async function ingest(): Promise<BenchReport> {
  const queue = await startChild<QueueReady, QueueQuestion, readonly string[]>("queue");
  const handlers = await contestants(queue.ready);
  const rows: BenchReport["rows"][number][] = [];
  const invariants: BenchReport["invariants"][number][] = [];
  const bars: BenchReport["chart"]["bars"][number][] = [];
  for (const size of SIZES) {
    const event = eventOf(size, await token());
    const runs = handlers.map(({ name, handle }) => ({
      name,
      run: async () => {
        const { statusCode } = await handle(event);
        if (statusCode !== 202) throw new Error(`${name} answered ${statusCode}`);
      },
    }));
    const calls = new Map<string, Calls>();
    for (const { name, run } of runs) {
      await run();
      calls.set(name, await callsOf(run));
    }
    const rates = await perCpuSecond(runs, {
      rounds: 9,
      window: 400,
      before: () => queue.ask({ ask: "empty" }),
    });
    for (const { name } of runs) {
      const counted = calls.get(name) ?? new Map();
      const control = name !== OURS;
      const label = size === 1 ? name : `${name}, ${size} in one POST`;
      rows.push({
        control,
        cells: [
          label,
          rateOf(rates, name),
          ratio(rates, name, SHIPPED),
          ratio(rates, name, TUNED),
          sum(counted, "SendMessage", "SendMessageBatch") / size,
          [...counted.values()].reduce((a, b) => a + b, 0) - sum(counted, "SendMessage", "SendMessageBatch"),
        ],
      });
      bars.push({ label, value: rateOf(rates, name) * size, control });
    }
    const counted = calls.get(OURS) ?? new Map();
    invariants.push(
      {
        what: `Tagwire to the minimal handler, ${size} in one POST`,
        got: ratio(rates, OURS, SHIPPED),
        wants: { least: 0.8 },
      },
      {
        what: `SQS calls per message, ${size} in one POST`,
        got: sum(counted, "SendMessage", "SendMessageBatch") / size,
        wants: { most: 1 / size },
      },
      { what: "other AWS calls", got: [...counted.keys()].length - 1, wants: { most: 0 } },
    );
  }
  await queue.stop();
  return {
    name: "ingest",
    title: "Taking messages in",
    method:
      `The handler of POST /v1/messages, called with API Gateway's event, one request at a time as Lambda does; ${BYTES} ` +
      "bytes of data per message; SQS is fauxqs in another process. Counted is the CPU time of the handler's process. " +
      "Tagwire verifies the token, checks the schema, the grant and the frame's size, and writes its metrics. The " +
      "minimal handler parses the body and sends each message; tuned, its client has our options (`cacheMiddleware`, " +
      "no MD5). Nine rounds, medians; ratios compare within a round. A lane's backlog is looked up besides, once in some " +
      "seconds per container.",
    packages: ["@aws-sdk/client-sqs", "fauxqs", "jose", "valibot"],
    columns: [
      "requests per CPU-second",
      "median",
      "× SDK as shipped",
      "× SDK tuned",
      "SQS sends per message",
      "other calls",
    ],
    rows,
    invariants,
    chart: { title: "Messages per CPU-second", bars },
  };
}

type Handle = (event: APIGatewayProxyEventV2) => Promise<{ statusCode?: number | undefined }>;

async function contestants({ endpoint, urls }: QueueReady): Promise<{ name: string; handle: Handle }[]> {
  const common = { region: REGION, credentials: CREDENTIALS, endpoint };
  const tuned = {
    ...common,
    cacheMiddleware: true,
    md5: false as const,
    useQueueUrlAsEndpoint: false,
    requestHandler: requestHandler(5_000, 50),
  };
  return [
    { name: SHIPPED, handle: plainIngest(new SQSClient(common), urls.normal) },
    { name: TUNED, handle: plainIngest(new SQSClient(tuned), urls.normal) },
    { name: OURS, handle: ingestFunction(runtimeOf(endpoint, urls)) },
  ];
}

const runtimeOf = (endpoint: string, urls: QueueReady["urls"]): Runtime => ({
  env: {
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_SQS: endpoint,
    ...Object.fromEntries(
      Object.entries(urls).map(([lane, url]) => [`QUEUE_URL_${lane.toUpperCase()}`, url]),
    ),
    TOKENS: JSON.stringify({ secretId: "tokens" }),
    // Lookups are timed, so they would fall on one row's window and not on another's.
    ROUTER: "router",
    SETTINGS: JSON.stringify(settings({ advanced: { backlogRefreshIntervalMilliseconds: 3_600_000 } })),
  },
  write: () => {},
  readSecret: async () => ({ text: DEV_SECRET }),
  clock: { now: Date.now, monotonic: () => performance.now(), pause: async () => {} },
  random: Math.random,
});

const token = (): Promise<string> => signToken({ sub: "producer", publish: ["topic:*"] });

function eventOf(size: number, bearer: string): APIGatewayProxyEventV2 {
  const message = {
    target: { topic: "orders" },
    event: "order.shipped",
    data: { note: "x".repeat(BYTES - 11) },
  };
  const body = JSON.stringify(size === 1 ? message : Array.from({ length: size }, () => message));
  return {
    version: "2.0",
    headers: { "content-type": "application/json", authorization: `Bearer ${bearer}` },
    isBase64Encoded: false,
    body,
  } as unknown as APIGatewayProxyEventV2;
}
