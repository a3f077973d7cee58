import { createServer } from "node:http";
import type { Runtime } from "../../functions/aws/runtime.ts";
import { LANES } from "../../shared/protocol/lane.ts";
import { reservedConcurrency, visibilitySeconds } from "../../shared/settings/derived.ts";
import type { FunctionName } from "../../shared/settings/variables.ts";
import type { Backend, Invocable, World } from "../backend.ts";
import { listen, shut } from "../listen.ts";
import { left } from "../testing/router-spy.ts";
import { callbackApi } from "./callback-api.ts";
import { functionCredentials, REGION } from "./emulators/aws.ts";
import { sqsClient, startQueues } from "./emulators/queue.ts";
import { startTables } from "./emulators/table.ts";
import { environment } from "./lambda/environment.ts";
import { type Handlers, REAL_HANDLERS } from "./lambda/handlers.ts";
import { type Lambda, lambda, within } from "./lambda/lambda.ts";
import { startPoller } from "./lambda/poller.ts";

/** A service that the functions call, as the scope of a signature names it. */
export type EmulatedService = "sqs" | "dynamodb" | "execute-api";

export interface TwinOptions {
  readonly handlers?: Partial<Handlers>;
  /**
   * Returns the address by which the functions and their event sources call a service, given that of its endpoint
   * here: for a proxy in between. @default the endpoint itself
   */
  readonly between?: (service: EmulatedService, endpoint: string) => Promise<string>;
}

/** The backend of an account, emulated: SQS, DynamoDB and @connections on loopback endpoints, the functions as Lambda runs them. */
export const twin =
  ({ handlers: own, between = async (_, endpoint) => endpoint }: TwinOptions) =>
  async (world: World): Promise<Backend> => {
    const { settings, limits, secret, issuer, claim, print, clock, random, observer } = world;
    const handlers: Handlers = { ...REAL_HANDLERS, ...own };
    const back = createServer({ keepAliveTimeout: 60_000 });
    const [queues, tables] = await Promise.all([startQueues(settings, limits.maxReceives), startTables()]);
    const socketEndpoint = await between("execute-api", `http://127.0.0.1:${await listen(back)}`);
    const called = {
      queues: { ...queues, endpoint: await between("sqs", queues.endpoint) },
      tables: { ...tables, endpoint: await between("dynamodb", tables.endpoint) },
    };
    back.on("request", callbackApi({ ...world, fault: world.faults.next }));

    const readSecret: Runtime["readSecret"] = async (id, stage) => {
      if (id === SECRET_ID) return stage === "AWSCURRENT" ? { text: secret } : undefined;
      throw new Error(`there is no secret ${id}`);
    };
    const lambdaOf = <F extends FunctionName>(name: F, concurrency?: number): Lambda<F> => {
      const env = environment(name, {
        ...{ settings, ...called, socketEndpoint, secretId: SECRET_ID, claim },
        ...(issuer ? { issuer } : {}),
      });
      const handler = handlers[name]({ env, write: print, readSecret, clock, random });
      const ceiling = concurrency === undefined ? {} : { concurrency };
      return lambda(name, handler, { ...settings.advanced.functions[name], ...ceiling, write: print });
    };
    const behind = <F extends FunctionName>(name: F, timeout: number): Invocable<F> => {
      const { invoke, settled } = lambdaOf(name);
      return { invoke: (event) => within(timeout, invoke(event)), settled };
    };
    const consume = lambdaOf("consume", limits.reservedConcurrency ?? reservedConcurrency(settings));

    // Lambda receives and deletes in the name of the function.
    const client = sqsClient(called.queues.endpoint, functionCredentials("consume"));
    const pollers = LANES.map((lane) =>
      startPoller(
        { client, consume, observer, write: print },
        {
          lane,
          concurrency: settings.lanes[lane].concurrency,
          batchSize: settings.advanced.batchSize[lane],
          url: queues.urls[lane],
          visibilitySeconds: visibilitySeconds(settings),
        },
      ),
    );
    return {
      ingest: behind("ingest", limits.httpTimeout),
      receipts: behind("receipts", limits.httpTimeout),
      closing: behind("connections", limits.httpTimeout),
      socket: behind("socket", limits.socketTimeout),
      queues,
      deadLetters: {
        queueUrl: queues.deadLetterUrl,
        laneUrls: queues.urls,
        endpoint: queues.endpoint,
        region: REGION,
      },
      ready: async () => undefined,
      pending: () => left(queues),
      expire: (now) => tables.expire(now),
      async stopLanes() {
        await Promise.all(pollers.map((poller) => poller.stop()));
      },
      async release() {
        client.destroy();
        await Promise.all([shut(back), queues.stop(), tables.stop()]);
      },
    };
  };

const SECRET_ID = "tagwire/tokens";
