import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { Clock, Random } from "../shared/ports.ts";
import { GRANT_CLAIM } from "../shared/protocol/grant.ts";
import { DEV_SECRET } from "../shared/settings/dev-secret.ts";
import type { Settings, SettingsOverrides } from "../shared/settings/schema.ts";
import { settings as settle } from "../shared/settings/settings.ts";
import type { Backend, Queues, World } from "./backend.ts";
import type { Connection } from "./gateway/connection.ts";
import { httpApi } from "./gateway/http-api.ts";
import { origins } from "./gateway/origins.ts";
import { quota as tokenBucket } from "./gateway/quota.ts";
import { socketApi } from "./gateway/socket-api.ts";
import { ignoreUpgrade, wantsWebSocket } from "./gateway/upgrade.ts";
import { LIMITS, type Limits } from "./limits.ts";
import { listen, shut } from "./listen.ts";
import { CONTENT_TYPE, metrics } from "./metrics.ts";
import { page } from "./page/page.ts";
import { faults } from "./testing/fault.ts";
import { type Recorder, recorder } from "./testing/recorder.ts";
import { left, routerSpy } from "./testing/router-spy.ts";
import type { Spy } from "./testing/spy.ts";
import { KIND, type Unkind } from "./unkind.ts";

export interface StartOptions {
  /** @default 0, any free port */
  readonly port?: number;
  /** The address to listen on. @default 127.0.0.1, which other machines cannot reach */
  readonly host?: string;
  readonly settings?: SettingsOverrides;
  /** Signs and checks tokens; at least 32 bytes. @default DEV_SECRET */
  readonly secret?: string;
  /** The claim of a token that holds its grant. @default tagwire */
  readonly claim?: string;
  /** Takes what the functions print. @default nothing is printed */
  readonly write?: (line: string) => void;
  readonly limits?: Partial<Limits>;
  /** What AWS does to sockets at times. @default nothing of it */
  readonly unkind?: Partial<Unkind>;
  /** Origins whose pages may use the router beside those of a loopback name, such as https://app.example. @default none */
  readonly origins?: readonly string[];
  readonly clock?: Clock;
  readonly random?: Random;
  /** Whether the spy remembers what has happened; otherwise it only knows what there is now. @default true */
  readonly remembers?: boolean;
}

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

/** Starts a router over a backend. Throws where the port is taken. */
export async function startOn(
  backend: (world: World) => Promise<Backend>,
  options: StartOptions,
  defaults: Limits = LIMITS,
): Promise<Router> {
  const settings = settle(options.settings);
  const limits: Limits = { ...defaults, ...options.limits };
  const {
    secret = DEV_SECRET,
    claim = GRANT_CLAIM,
    clock = SYSTEM_CLOCK,
    random = Math.random,
    write = () => {},
    host = "127.0.0.1",
  } = options;

  const observer = recorder(options.remembers);
  const counters = metrics();
  const planned = faults(clock);
  const quota = tokenBucket(clock, limits);
  const pages = origins(options.origins ?? []);
  const connections = new Map<string, Connection>();
  let stopping = false;
  const isStopping = () => stopping;

  const print = (line: string) => {
    counters.read(line);
    write(line);
  };
  const behind = await backend({
    ...{ settings, limits, secret, claim, clock, random, observer, quota, connections },
    print,
    telemetry: (name) => counters.telemetry(name, print),
    faults: planned,
  });
  const sockets = socketApi({
    ...{ socket: behind.socket, connections, observer, clock, limits, quota, origins: pages },
    unkind: { ...KIND, ...options.unkind },
    stopping: isStopping,
  });
  const front = createServer();
  front.on(
    "request",
    httpApi({
      ...{ ingest: behind.ingest, receipts: behind.receipts, closing: behind.closing },
      ...{ clock, limits, quota, origins: pages, stopping: isStopping, deadLetters: behind.deadLetters },
      others: [page({ secret, claim }).serve, ...(behind.serve ? [behind.serve] : [])],
      metrics: async () => ({
        type: CONTENT_TYPE,
        text: await counters.render(gauges(observer, connections.size)),
      }),
    }),
  );
  front.on("upgrade", (request, tcp, head) => {
    if (wantsWebSocket(request)) sockets.upgrade(request, tcp, head);
    else ignoreUpgrade(front, request, tcp, head);
  });

  const expiry = setInterval(() => {
    behind.expire(clock.now()).catch((fault: unknown) => {
      write(JSON.stringify({ level: "ERROR", message: "expired rows not deleted", error: String(fault) }));
    });
  }, limits.expiryEvery);

  const release = async (grace: number) => {
    stopping = true;
    clearInterval(expiry);
    await Promise.all([behind.ingest.settled(), behind.receipts.settled(), behind.closing.settled()]);
    await emptied(behind.queues, grace);
    await behind.stopLanes();
    const remaining = await left(behind.queues);
    await Promise.all([sockets.close(), behind.socket.settled()]);
    await Promise.all([shut(front), behind.release()]);
    return { left: remaining };
  };
  let released: ReturnType<typeof release> | undefined;

  // Last, so that everything is ready when the first request is answered.
  const port = await listen(front, options.port, host).catch(async (fault) => {
    await release(0);
    throw fault;
  });
  const address = `${ANY.has(host) ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host}:${port}`;
  return {
    url: `http://${address}`,
    socketUrl: `ws://${address}`,
    settings,
    spy: routerSpy({ recorder: observer, faults: planned, queues: behind.queues, sockets, connections }),
    stop(grace = limits.grace) {
      released ??= release(grace);
      return released;
    },
  };
}

/** Addresses that stand for all of the machine. */
const ANY: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  pause: async (milliseconds) => {
    await pause(milliseconds);
  },
};

/** How often a stop looks whether the lanes are empty, in milliseconds. */
const LOOK = 20;

async function emptied(queues: Queues, grace: number): Promise<void> {
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
