import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { SQSClient } from "@aws-sdk/client-sqs";
import { undiciPost } from "./http-post.ts";
import { session } from "./session.ts";

export interface LeanClientOptions {
  /** Milliseconds until an answer must begin. */
  readonly timeout: number;
  /** HTTP connections at most. */
  readonly connections: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** How a client's service is spoken to: AWS JSON 1.0, one header for the operation and the input as the body. */
const SERVICES = {
  DynamoDB: { scope: "dynamodb", target: "DynamoDB_20120810" },
  SQS: { scope: "sqs", target: "AmazonSQS" },
};

/**
 * Gives a client of the SDK a shorter way to make its calls, for a fifth of the CPU time. It goes as long as all
 * goes well, and where a condition does not hold; with everything else that may come of a call (a fault, a throttled
 * request, a clock or credentials that are wrong) the call is made over by the client itself, with its retries.
 * Inputs and outputs must be JSON as they are: no binary attributes.
 */
export function lean<C extends DynamoDBClient | SQSClient>(client: C, options: LeanClientOptions): C {
  const config: DynamoDBClient["config"] | SQSClient["config"] = client.config;
  const service = SERVICES[config.serviceId as keyof typeof SERVICES];
  const origin = async () => {
    const region = await config.region();
    if (config.endpoint) {
      const { protocol, hostname, port } = await config.endpoint();
      return `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`;
    }
    const [UseFIPS, UseDualStack] = await Promise.all([
      config.useFipsEndpoint(),
      config.useDualstackEndpoint(),
    ]);
    return config.endpointProvider({ Region: region, UseFIPS, UseDualStack }).url.origin;
  };
  const http = undiciPost({ ...options, origin });
  const { pen } = session({
    host: async () => new URL(await origin()).host,
    region: config.region,
    service: service.scope,
    type: "application/x-amz-json-1.0",
    credentials: config.credentials,
    now: options.now,
  });

  const call = async (name: string, input: unknown): Promise<unknown> => {
    const body = JSON.stringify(input);
    const { sign } = await pen();
    const now = options.now() + config.systemClockOffset;
    const headers = sign({ path: "/", body, target: `${service.target}.${name}`, now });
    const { status, text } = await http.answer("/", headers, body);
    const answer = JSON.parse(text === "" ? "{}" : text);
    const $metadata = { httpStatusCode: status };
    if (status === 200) return { ...answer, $metadata };
    const type = String(answer.__type);
    throw type.endsWith(CONDITION) ? new ConditionFailed(answer.message, status) : new Error(type);
  };

  const standard = {
    send: client.send.bind(client) as (command: Command, ...rest: unknown[]) => Promise<unknown>,
    destroy: client.destroy.bind(client),
  };
  return Object.assign(client, {
    async send(command: Command, ...rest: unknown[]): Promise<unknown> {
      const name = command.schema?.[2];
      if (name === undefined || rest.length > 0) return standard.send(command, ...rest);
      try {
        return await call(name, command.input);
      } catch (fault) {
        if (fault instanceof ConditionFailed) throw fault;
        return standard.send(command);
      }
    },
    destroy() {
      standard.destroy();
      http.destroy().catch(() => {}); // it was never started
    },
  });
}

/** What we read of a command: its schema names the operation, also where a bundler has renamed its class. */
interface Command {
  readonly input: unknown;
  readonly schema?: readonly [kind: number, namespace: string, name: string, ...rest: unknown[]];
}

const CONDITION = "ConditionalCheckFailedException";

/** As the client throws it, as far as anyone looks. */
class ConditionFailed extends Error {
  override readonly name = CONDITION;
  readonly $fault = "client";
  readonly $metadata: { readonly httpStatusCode: number };

  constructor(message: string, httpStatusCode: number) {
    super(message);
    this.$metadata = { httpStatusCode };
  }
}
