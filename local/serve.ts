import { devToken } from "./dev-token.ts";
import { isMetricRecord } from "./metrics.ts";
import type { Router } from "./options.ts";
import { start } from "./start.ts";
import { readVariables } from "./variables.ts";

/** What the command line of `npm start` and `tagwire start` says. */
export interface ServeOptions {
  /** The folder of its data, instead of TAGWIRE_DATA. */
  readonly data?: string;
  /** Keeps nothing on the disk. @default false */
  readonly memory?: boolean;
}

/** What `npm start` and `tagwire start` run: a router until a signal stops it. */
export async function serve(
  { data, memory = false }: ServeOptions = {},
  startRouter: typeof start = start,
): Promise<void> {
  const variables = readVariables(process.env);
  const { data: folder, ...rest } = variables;
  const kept = memory ? undefined : (data ?? folder);
  const options = { settings: KEPT, ...rest, write: printLog, remembers: false };
  const router = await startRouter({ ...options, ...(kept === undefined ? {} : { data: kept }) });
  const token = await devToken(variables.secret, Date.now(), variables.claim);
  console.log(welcome(router, token, kept));
  let asked: number | undefined;
  const stop = () => {
    if (asked !== undefined) {
      // One Ctrl-C can come twice: from the terminal, and from npm. A second request means not to wait.
      if (performance.now() - asked > SAME_SIGNAL) process.exit(1);
      return;
    }
    asked = performance.now();
    console.log("stopping: no new requests, the lanes have a moment to empty");
    setTimeout(() => fail(`not stopped within ${STOP_SECONDS} s, ended as it is`), STOP_SECONDS * 1_000);
    router.stop().then(({ left }) => {
      console.log(
        left === 0
          ? "stopped, nothing left in the lanes"
          : `stopped, ${left} messages ${kept === undefined ? "lost with" : "wait in"} the lanes`,
      );
      process.exit(0);
    }, fail);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  if (process.env.npm_lifecycle_event !== undefined) onOrphaned(stop);
}

/** npm passes SIGTERM on to its shell, which ends without passing it on: then this process gets a new parent. */
function onOrphaned(stop: () => void): void {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    stop();
  }, 200);
  watch.unref();
}

/** An hour of every topic and user: who tries the router on one machine sees what a cut and a reload recover. */
const KEPT = {
  streams: [{ topics: "*", seconds: 3_600, count: 1_000 }],
  userStreams: { seconds: 3_600, count: 1_000 },
};

/** The longest stop: the lanes have ten seconds, then the runs under way have a moment to end. */
const STOP_SECONDS = 25;

/** Signals this close together are one, in milliseconds. */
const SAME_SIGNAL = 300;

/** Metric records are at /metrics, and would drown the logs here. */
const printLog = (line: string): void => {
  if (!isMetricRecord(line)) console.log(line);
};

/** The repository has the command as a script, and everyone else as a package. */
const COMMAND = process.env.npm_lifecycle_event === "start" ? "npm run --silent tagwire --" : "npx tagwire";

const welcome = ({ url, socketUrl }: Router, token: string, data: string | undefined) => `
Tagwire is ready. Open ${url} in a browser to try it.
  HTTP API   ${url}/v1/messages
  WebSocket  ${socketUrl}
  Metrics    ${url}/metrics
  Data       ${data ?? "in memory: it ends with this process"}
  Dev token  ${token}

See messages arrive, in another terminal:
  ${url === "http://127.0.0.1:3000" ? "" : `TAGWIRE_URL=${url} `}${COMMAND} listen --topic orders

Send one:
  curl -sS ${url}/v1/messages -H 'authorization: Bearer ${token}' -H 'content-type: application/json' -d '{"target":{"topic":"orders"},"event":"order.shipped","data":{"id":1}}'
`;

/** Says why the router could not run, and ends the process. */
export function fail(fault: unknown): void {
  console.error(`tagwire: ${reason(fault)}`);
  process.exit(1);
}

function reason(fault: unknown): string {
  if (!(fault instanceof Error)) return String(fault);
  if (!("code" in fault) || fault.code !== "EADDRINUSE") return fault.message;
  return `port ${"port" in fault ? fault.port : ""} is taken, set PORT to another`;
}
