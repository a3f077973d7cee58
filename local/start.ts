import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { Runtime } from "../functions/aws/runtime.ts";
import type { Clock } from "../shared/ports.ts";
import { GRANT_CLAIM } from "../shared/protocol/grant.ts";
import { LANES } from "../shared/protocol/lane.ts";
import { reservedConcurrency, visibilitySeconds } from "../shared/settings/derived.ts";
import { DEV_SECRET } from "../shared/settings/dev-secret.ts";
import type { FunctionSettings, Settings, SettingsOverrides } from "../shared/settings/schema.ts";
import { settings as settle } from "../shared/settings/settings.ts";
import type { FunctionName } from "../shared/settings/variables.ts";
import { functionCredentials, REGION } from "./emulators/aws.ts";
import { sqsClient, startQueues } from "./emulators/queue.ts";
import { startTables } from "./emulators/table.ts";
import { callbackApi } from "./gateway/callback-api.ts";
import { httpApi } from "./gateway/http-api.ts";
import { origins } from "./gateway/origins.ts";
import { quota as tokenBucket } from "./gateway/quota.ts";
import { type SocketApi, socketApi } from "./gateway/socket-api.ts";
import { ignoreUpgrade, wantsWebSocket } from "./gateway/upgrade.ts";
import { environment } from "./lambda/environment.ts";
import { faults } from "./lambda/fault.ts";
import { type Handlers, REAL_HANDLERS } from "./lambda/handlers.ts";
import { lambda } from "./lambda/lambda.ts";
import { startPoller } from "./lambda/poller.ts";
import { LIMITS, type Limits } from "./limits.ts";
import { listen, shut } from "./listen.ts";
import { CONTENT_TYPE, metrics } from "./metrics.ts";
import { page } from "./page/page.ts";
import { type Recorder, recorder } from "./testing/recorder.ts";
import { left, routerSpy } from "./testing/router-spy.ts";
import type { Spy } from "./testing/spy.ts";
import { KIND, type Unkind } from "./unkind.ts";

export interface StartOptions {
  /** @default 0, any free port */
  readonly port?: number;
  readonly settings?: SettingsOverrides;
  /** Signs and checks tokens; at least 32 bytes. @default DEV_SECRET */
  readonly secret?: string;
  /** The claim of a token that holds its grant. @default tagwire */
  readonly claim?: string;
  readonly handlers?: Partial<Handlers>;
  /** Takes what the functions print. @default nothing is printed */
  readonly write?: (line: string) => void;
  readonly limits?: Partial<Limits>;
  /** What AWS does to sockets at times. @default nothing of it */
  readonly unkind?: Partial<Unkind>;
  /** Origins whose pages may use the router beside those of a loopback name, such as https://app.example. @default none */
  readonly origins?: readonly string[];
  /**
   * Returns the address by which the functions and their event sources call a service, given that of its endpoint
   * here: for a proxy in between. @default the endpoint itself
   */
  readonly between?: (service: EmulatedService, endpoint: string) => Promise<string>;
  readonly clock?: Clock;
  readonly random?: Runtime["random"];
}

/** A service that the functions call, as the scope of a signature names it. */
export type EmulatedService = "sqs" | "dynamodb" | "execute-api";

export interface Router {
  /** As in http://127.0.0.1:3000, without a slash at the end. */
  readonly url: string;
  readonly socketUrl: string;
  readonly settings: Settings;
  readonly spy: Spy;
  /**
   * Takes no more requests, lets the lanes empty for at most `grace` milliseconds, closes all sockets with 1001
   * and releases everything. Answers how many messages were left in the lanes.
   */
  stop(grace?: number): Promise<{ readonly left: number }>;
}

/** Starts the whole router in this process, on the loopback address. Throws where the port is taken. */
export async function start(options: StartOptions = {}): Promise<Router> {
  const settings = settle(options.settings);
  const limits: Limits = { ...LIMITS, ...options.limits };
  const {
    secret = DEV_SECRET,
    claim = GRANT_CLAIM,
    clock = SYSTEM_CLOCK,
    random = Math.random,
    write = () => {},
  } = options;
  const handlers: Handlers = { ...REAL_HANDLERS, ...options.handlers };

  const events = recorder();
  const counters = metrics();
  const planned = faults(clock);
  const quota = tokenBucket(clock, limits);
  const pages = origins(options.origins ?? []);
  let stopping = false;

  const front = createServer();
  const back = createServer({ keepAliveTimeout: 60_000 });
  const [queues, tables] = await Promise.all([startQueues(settings, limits.maxReceives), startTables()]);
  const { between = async (_: EmulatedService, endpoint: string) => endpoint } = options;
  const socketEndpoint = await between("execute-api", `http://127.0.0.1:${await listen(back)}`);
  const called = {
    queues: { ...queues, endpoint: await between("sqs", queues.endpoint) },
    tables: { ...tables, endpoint: await between("dynamodb", tables.endpoint) },
  };

  const print = (line: string) => {
    counters.read(line);
    write(line);
  };
  const readSecret: Runtime["readSecret"] = async (id, stage) => {
    if (id === SECRET_ID) return stage === "AWSCURRENT" ? { text: secret } : undefined;
    throw new Error(`there is no secret ${id}`);
  };
  const invokable = <F extends FunctionName>(name: F, concurrency?: number) => {
    const env = environment(name, { settings, ...called, socketEndpoint, secretId: SECRET_ID, claim });
    const handler = handlers[name]({ env, write: print, readSecret, clock, random });
    const size: FunctionSettings = settings.advanced.functions[name];
    const ceiling = concurrency === undefined ? {} : { concurrency };
    return lambda(name, handler, { ...size, ...ceiling, write: print });
  };
  const ingest = invokable("ingest");
  const receipts = invokable("receipts");
  const closing = invokable("connections");
  const socket = invokable("socket");
  const consume = invokable("consume", limits.reservedConcurrency ?? reservedConcurrency(settings));

  const isStopping = () => stopping;
  const sockets: SocketApi = socketApi({
    socket,
    observer: events,
    clock,
    limits,
    unkind: { ...KIND, ...options.unkind },
    quota,
    origins: pages,
    stopping: isStopping,
  });
  const { connections } = sockets;
  const render = () => counters.render(gauges(events, connections.size));
  const text = async () => ({ type: CONTENT_TYPE, text: await render() });
  const deadLetters = {
    queueUrl: queues.deadLetterUrl,
    laneUrls: queues.urls,
    endpoint: queues.endpoint,
    region: REGION,
  };
  front.on(
    "request",
    httpApi({
      ingest,
      receipts,
      closing,
      clock,
      limits,
      quota,
      origins: pages,
      stopping: isStopping,
      deadLetters,
      page: page({ secret, claim }),
      metrics: text,
    }),
  );
  front.on("upgrade", (request, tcp, head) => {
    if (wantsWebSocket(request)) sockets.upgrade(request, tcp, head);
    else ignoreUpgrade(front, request, tcp, head);
  });
  back.on("request", callbackApi({ connections, observer: events, limits, quota, fault: planned.next }));

  // Lambda receives and deletes in the name of the function.
  const client = sqsClient(called.queues.endpoint, functionCredentials("consume"));
  const pollers = LANES.map((lane) =>
    startPoller(
      { client, consume, observer: events, write: print },
      {
        lane,
        concurrency: settings.lanes[lane].concurrency,
        batchSize: settings.advanced.batchSize[lane],
        url: queues.urls[lane],
        visibilitySeconds: visibilitySeconds(settings),
      },
    ),
  );

  const expiry = setInterval(() => {
    tables.expire(clock.now()).catch((fault: unknown) => {
      write(JSON.stringify({ level: "ERROR", message: "expired rows not deleted", error: String(fault) }));
    });
  }, limits.expiryEvery);

  const release = async (grace: number) => {
    stopping = true;
    clearInterval(expiry);
    await Promise.all([ingest.settled(), receipts.settled(), closing.settled()]);
    await emptied(queues, grace);
    await Promise.all(pollers.map((poller) => poller.stop()));
    const remaining = await left(queues);
    await Promise.all([sockets.close(), socket.settled()]);
    client.destroy();
    await Promise.all([shut(front), shut(back), queues.stop(), tables.stop()]);
    return { left: remaining };
  };
  let released: ReturnType<typeof release> | undefined;

  // Last, so that everything is ready when the first request is answered.
  const port = await listen(front, options.port).catch(async (fault) => {
    await release(0);
    throw fault;
  });
  return {
    url: `http://127.0.0.1:${port}`,
    socketUrl: `ws://127.0.0.1:${port}`,
    settings,
    spy: routerSpy({ recorder: events, faults: planned, queues, sockets }),
    stop(grace = limits.grace) {
      released ??= release(grace);
      return released;
    },
  };
}

const SECRET_ID = "tagwire/tokens";

const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  pause: async (milliseconds) => {
    await pause(milliseconds);
  },
};

/** How often a stop looks whether the lanes are empty, in milliseconds. */
const LOOK = 20;

async function emptied(queues: Parameters<typeof left>[0], grace: number): Promise<void> {
  const until = performance.now() + grace;
  while (performance.now() < until && (await left(queues)) > 0) await pause(LOOK);
}

const gauges = (events: Pick<Recorder, "now">, connections: number) => {
  const { runs, sends, units } = events.now();
  return {
    tagwire_connections_open: connections,
    tagwire_runs_under_way: runs,
    tagwire_sends_in_flight: sends,
    tagwire_gateway_metered_units: units,
  };
};
