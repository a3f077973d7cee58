import type { DeadLetters } from "../../shared/ports.ts";
import { LANES, type Lane } from "../../shared/protocol/lane.ts";
import { Failure, isObject } from "../failure.ts";
import type { Io } from "../io.ts";
import { causeOf, isLoopback, routerUrl } from "../router.ts";

/** Where the dead-letter queue is. What is absent is left to the AWS SDK. */
interface Place {
  readonly url: string;
  readonly region?: string;
  readonly endpoint?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

const HOW = "name the dead-letter queue with --queue or TAGWIRE_DEAD_LETTER_QUEUE_URL";
/** A local router's queues check that a request is signed, not by whom. */
const LOCAL = { accessKeyId: "local", secretAccessKey: "local" };
/** Milliseconds before a call to the queue counts as failed; a long poll takes one second. */
const TIMEOUT = 10_000;

/** Opens the dead-letter queue that was named, or that of the local router. The SDK is only loaded here. */
export async function openQueue(io: Io, named: string | undefined): Promise<DeadLetters> {
  const { url, ...place } = await placeOf(io, named || io.env.TAGWIRE_DEAD_LETTER_QUEUE_URL);
  const [{ SQSClient }, { clientConfig, requestHandler }, { sqsDeadLetters }] = await Promise.all([
    import("@aws-sdk/client-sqs"),
    import("../../shared/adapters/sdk/client.ts"),
    import("../../shared/adapters/sqs/dead-letters.ts"),
  ]);
  const client = new SQSClient({
    ...clientConfig(io.env, "SQS"),
    ...place,
    requestHandler: requestHandler(TIMEOUT, 20),
    useQueueUrlAsEndpoint: false,
    md5: false,
  });
  return sqsDeadLetters({ client, url, laneUrls: laneUrls(url) });
}

/** Queues are named for what they hold: `<prefix>-high`, …, `<prefix>-dead-letters`. */
export function laneUrls(deadLetterUrl: string): Record<Lane, string> {
  const prefix = /^(.+-)dead-letters$/.exec(deadLetterUrl)?.[1];
  if (prefix === undefined)
    throw new Failure(`a dead-letter queue's address ends in -dead-letters, got ${deadLetterUrl}`);
  return Object.fromEntries(LANES.map((lane) => [lane, prefix + lane])) as Record<Lane, string>;
}

/** The Region is in the address of every queue in an account. */
const regionIn = (url: string) => /^https:\/\/sqs\.([a-z0-9-]+)\.amazonaws\.com/.exec(url)?.[1];

async function placeOf(io: Io, url: string | undefined): Promise<Place> {
  if (url) {
    const region = regionIn(url);
    return { url, ...(region ? { region } : {}) };
  }
  const router = routerUrl(io);
  if (!isLoopback(router)) throw new Failure(HOW);
  const { deadLetters } = await healthOf(io, router);
  if (!isObject(deadLetters)) throw new Failure(`${router.origin} is no local router; ${HOW}`);
  const { queueUrl, endpoint, region } = deadLetters;
  return { url: String(queueUrl), endpoint: String(endpoint), region: String(region), credentials: LOCAL };
}

async function healthOf({ fetch }: Io, router: URL): Promise<Readonly<Record<string, unknown>>> {
  try {
    const response = await fetch(new URL("health", router), { signal: AbortSignal.timeout(TIMEOUT) });
    const health: unknown = response.ok ? await response.json() : {};
    return isObject(health) ? health : {};
  } catch (cause) {
    throw new Failure(`cannot reach ${router.origin}: ${causeOf(cause)}; ${HOW}`, { cause });
  }
}
