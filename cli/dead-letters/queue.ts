import { causeOf, isObject } from "../../server/request.ts";
import type { DeadLetters } from "../../shared/ports.ts";
import type { Lane } from "../../shared/protocol/lane.ts";
import { parseJson } from "../../shared/protocol/parse.ts";
import { LANE_TAG } from "../../shared/settings/queues.ts";
import { Failure, missing } from "../failure.ts";
import type { Io } from "../io.ts";
import { regionIn } from "../region.ts";
import { post, routerUrl } from "../router.ts";
import { oneMachineDeadLetters } from "./one-machine.ts";

/** Where the dead-letter queue is. What is absent is left to the AWS SDK. */
interface Place {
  readonly url: string;
  /** The addresses of a local router's lanes. */
  readonly laneUrls?: Readonly<Record<string, unknown>>;
  readonly region?: string;
  readonly endpoint?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

const HOW = "name the dead-letter queue with --queue or TAGWIRE_DEAD_LETTER_QUEUE_URL";
/** A local router's queues check that a request is signed, not by whom. */
const LOCAL = { accessKeyId: "local", secretAccessKey: "local" };
/** Milliseconds before a call to the queue counts as failed; a long poll takes one second. */
const TIMEOUT = 10_000;

/** Opens the dead-letter queue that was named, or that of a router on one machine, here or elsewhere. The SDK is only loaded here. */
export async function openQueue(io: Io, named: string | undefined): Promise<DeadLetters> {
  const found = await placeOf(io, named || io.env.TAGWIRE_DEAD_LETTER_QUEUE_URL);
  if (found === "one machine")
    return oneMachineDeadLetters((call, body) => post(io, `v1/dead-letters/${call}`, body));
  return openSqs(io, found);
}

async function openSqs(io: Io, { url, laneUrls, ...place }: Place): Promise<DeadLetters> {
  const [{ SQSClient }, { clientConfig, requestHandler }, { sqsDeadLetters }, { laneUrlsOf }] =
    await Promise.all([
      import("@aws-sdk/client-sqs"),
      import("../../shared/adapters/sdk/client.ts"),
      import("../../shared/adapters/sqs/dead-letters.ts"),
      import("../../shared/adapters/sqs/lane-urls.ts"),
    ]).catch(missing("dead-letters asks SQS through a client", "@aws-sdk/client-sqs"));
  const client = new SQSClient({
    ...clientConfig(io.env, "SQS"),
    ...place,
    requestHandler: requestHandler(TIMEOUT, 20),
    useQueueUrlAsEndpoint: false,
    md5: false,
  });
  let found: Promise<Readonly<Record<string, unknown>>> | undefined = laneUrls && Promise.resolve(laneUrls);
  const laneUrl = async (lane: Lane): Promise<string> => {
    found ??= laneUrlsOf(client, url);
    const { [lane]: address } = await found;
    if (typeof address === "string") return address;
    throw new Failure(
      `no queue with the tag ${LANE_TAG}=${lane} gives its dead letters to ${url}; is it the DeadLetterQueueUrl of a router?`,
    );
  };
  return sqsDeadLetters({ client, url, laneUrl });
}

async function placeOf(io: Io, url: string | undefined): Promise<Place | "one machine"> {
  if (url) {
    const region = regionIn(url);
    return { url, ...(region ? { region } : {}) };
  }
  const router = routerUrl(io);
  const { deadLetters } = await healthOf(io, router);
  if (!isObject(deadLetters)) throw new Failure(`${router.origin} is no router on one machine; ${HOW}`);
  const { queueUrl, laneUrls, endpoint, region } = deadLetters;
  if (queueUrl === undefined) return "one machine";
  const place = { endpoint: String(endpoint), region: String(region), credentials: LOCAL };
  return { url: String(queueUrl), ...(isObject(laneUrls) ? { laneUrls } : {}), ...place };
}

async function healthOf({ fetch }: Io, router: URL): Promise<Readonly<Record<string, unknown>>> {
  try {
    const response = await fetch(new URL("health", router), { signal: AbortSignal.timeout(TIMEOUT) });
    const health = parseJson(await response.text());
    return response.ok && health.ok && isObject(health.value) ? health.value : {};
  } catch (cause) {
    throw new Failure(`cannot reach ${router.origin}: ${causeOf(cause)}; ${HOW}`, { cause });
  }
}
