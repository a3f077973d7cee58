import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { onTestFinished } from "vitest";
import type { Router, StartOptions } from "../../local/options.ts";
import { CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import { startTwin } from "../../local/twin/start.ts";
import { LANES } from "../../shared/protocol/lane.ts";
import { queueOutput } from "../../shared/settings/queues.ts";
import { temporary } from "../engine/store/temporary.ts";
import { type Finished, tagwire } from "../support/command.ts";

/** A router in an emulated account, the outputs of its stack in a file, and how the SDK reaches it. */
export interface Account {
  readonly router: Router;
  readonly outputs: string;
  readonly env: Readonly<Record<string, string>>;
}

export async function anAccount(options: StartOptions): Promise<Account> {
  const endpoints: Record<string, string> = {};
  const router = await startTwin({
    ...options,
    async between(service, endpoint) {
      endpoints[service] = endpoint;
      return endpoint;
    },
  });
  onTestFinished(() => void router.stop(0));
  const { sqs = "", dynamodb = "" } = endpoints;
  const health = (await (await fetch(`${router.url}/health`)).json()) as Health;
  const { queueUrl, laneUrls } = health.deadLetters;
  const queues = LANES.map((lane) => [queueOutput(lane), laneUrls[lane]]);
  const outputs = outputsFile({
    Tagwire: {
      HttpUrl: router.url,
      DeadLetterQueueUrl: queueUrl,
      ...Object.fromEntries(queues),
      ReceiptsTableName: "tagwire-receipts",
      StreamsTableName: "tagwire-streams",
    },
  });
  const { accessKeyId, secretAccessKey } = CREDENTIALS;
  return {
    router,
    outputs,
    env: {
      TAGWIRE_URL: router.url,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_ENDPOINT_URL_SQS: sqs,
      AWS_ENDPOINT_URL_DYNAMODB: dynamodb,
    },
  };
}

interface Health {
  readonly deadLetters: { readonly queueUrl: string; readonly laneUrls: Readonly<Record<string, string>> };
}

/** What `cdk deploy --outputs-file` writes. */
export function outputsFile(stacks: object): string {
  const path = join(temporary(), "outputs.json");
  writeFileSync(path, JSON.stringify(stacks));
  return path;
}

export const exportOf = (data: string): Promise<Finished> => tagwire(["export", "--data", data]);

export const importInto = (
  { outputs, env }: Pick<Account, "outputs" | "env">,
  text: string | AsyncIterable<string>,
  argv: readonly string[] = [],
): Promise<Finished> =>
  tagwire(["import", "--outputs", outputs, ...argv], {
    env,
    stdin: Readable.from(typeof text === "string" ? [text] : text),
  });
