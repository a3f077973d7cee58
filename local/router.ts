import { setTimeout as pause } from "node:timers/promises";
import { SYSTEM_CLOCK } from "../functions/runtime/system-clock.ts";
import { GRANT_CLAIM } from "../shared/protocol/grant.ts";
import { DEV_SECRET } from "../shared/settings/dev-secret.ts";
import { settings as settle } from "../shared/settings/settings.ts";
import type { Backend, World } from "./backend.ts";
import { front } from "./front.ts";
import { callers } from "./gateway/caller.ts";
import type { Connection } from "./gateway/connection.ts";
import { httpApi } from "./gateway/http-api.ts";
import { origins } from "./gateway/origins.ts";
import { quota as tokenBucket } from "./gateway/quota.ts";
import { socketApi } from "./gateway/socket-api.ts";
import { ignoreUpgrade, wantsWebSocket } from "./gateway/upgrade.ts";
import { gauges } from "./gauges.ts";
import { LIMITS, type Limits } from "./limits.ts";
import { listen } from "./listen.ts";
import { CONTENT_TYPE, metrics } from "./metrics.ts";
import type { Router, StartOptions } from "./options.ts";
import { page } from "./page/page.ts";
import { faults } from "./testing/fault.ts";
import { recorder } from "./testing/recorder.ts";
import { left, routerSpy } from "./testing/router-spy.ts";
import { KIND } from "./unkind.ts";

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
    issuer,
    note,
    clock = SYSTEM_CLOCK,
    random = Math.random,
    write = () => {},
    host = "127.0.0.1",
  } = options;

  const observer = recorder(options.remembers);
  const counters = metrics();
  const planned = faults(clock);
  const quota = tokenBucket(clock, limits);
  const callerOf = callers(options.trustedProxies);
  const pages = origins(options.origins ?? []);
  const connections = new Map<string, Connection>();
  let stopping = false;
  const isStopping = () => stopping;

  const print = (line: string) => {
    counters.read(line);
    write(line);
  };
  // Before there is anything to give back: a certificate that is not good is found here.
  const { server, setCertificate, shut } = front(options.tls);
  const behind = await backend({
    ...(issuer === undefined ? {} : { issuer }),
    ...(note ? { note } : {}),
    ...{ settings, limits, secret, claim, clock, random, observer, quota, connections },
    print,
    telemetry: (name) => counters.telemetry(name, print, note),
    faults: planned,
  });
  const sockets = socketApi({
    ...{ socket: behind.socket, connections, observer, clock, limits, quota, origins: pages, callerOf },
    unkind: { ...KIND, ...options.unkind },
    stopping: isStopping,
  });
  server.on(
    "request",
    httpApi({
      ...{ ingest: behind.ingest, receipts: behind.receipts, closing: behind.closing },
      ...{ clock, limits, quota, origins: pages, callerOf, stopping: isStopping },
      ...{ deadLetters: behind.deadLetters, ready: behind.ready },
      ...(behind.refusalOf ? { refusalOf: behind.refusalOf } : {}),
      others: [page({ ...(issuer ? {} : { secret }), claim }).serve, ...(behind.serve ? [behind.serve] : [])],
      metrics: async () => ({
        type: CONTENT_TYPE,
        text: await counters.render(await gauges({ observer, connections, queues: behind.queues })),
      }),
    }),
  );
  server.on("upgrade", (request, tcp, head) => {
    if (wantsWebSocket(request)) sockets.upgrade(request, tcp, head);
    else ignoreUpgrade(server, request, tcp, head);
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
    await emptied(behind.pending, grace);
    await behind.stopLanes();
    const remaining = await left(behind.queues);
    await Promise.all([sockets.close(), behind.socket.settled()]);
    await Promise.all([shut(), behind.release()]);
    return { left: remaining };
  };
  let released: ReturnType<typeof release> | undefined;

  // Last, so that everything is ready when the first request is answered.
  const port = await listen(server, options.port, host).catch(async (fault) => {
    await release(0);
    throw fault;
  });
  const address = `${ANY.has(host) ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host}:${port}`;
  const secure = options.tls ? "s" : "";
  return {
    url: `http${secure}://${address}`,
    socketUrl: `ws${secure}://${address}`,
    ...{ settings, setCertificate },
    spy: routerSpy({ recorder: observer, faults: planned, queues: behind.queues, sockets, connections }),
    stop(grace = limits.grace) {
      released ??= release(grace);
      return released;
    },
  };
}

/** Addresses that stand for all of the machine. */
const ANY: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

/** How often a stop looks whether the lanes are empty, in milliseconds. */
const LOOK = 20;

async function emptied(pending: Backend["pending"], grace: number): Promise<void> {
  const until = performance.now() + grace;
  while (performance.now() < until && (await pending()) > 0) await pause(LOOK);
}
