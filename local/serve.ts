import { DEV_SECRET } from "../shared/settings/dev-secret.ts";
import { endOf, readCertificate } from "./certificate.ts";
import { devToken } from "./dev-token.ts";
import { fail } from "./fail.ts";
import { type Flags, withFlags } from "./flags.ts";
import { log as logTo } from "./log.ts";
import { isMetricRecord } from "./metrics.ts";
import { onSignals } from "./signals.ts";
import { start } from "./start.ts";
import { readVariables } from "./variables.ts";
import { welcome } from "./welcome.ts";

export { fail } from "./fail.ts";

/** What the command line of `npm start` and `tagwire start` says. */
export interface ServeOptions extends Flags {
  /** Keeps nothing on the disk. @default false */
  readonly memory?: boolean;
}

/** What `npm start` and `tagwire start` run: a router until a signal stops it. */
export async function serve(
  { memory = false, ...flags }: ServeOptions = {},
  startRouter: typeof start = start,
): Promise<void> {
  const { data: folder, tls: files, level, ...variables } = readVariables(withFlags(process.env, flags));
  const data = memory ? undefined : folder;
  const isTerminal = process.stdout.isTTY === true;
  const log = logTo({ level, isTerminal, now: Date.now, output: (text) => process.stdout.write(text) });
  process.on("exit", log.flush);
  // A log that is on a full disk, or that nobody reads any longer, loses its records; the router goes on.
  process.stdout.on("error", () => {});
  const certificate = () => {
    if (files === undefined) return undefined;
    const read = readCertificate(files);
    if (endOf(read) < Date.now()) log.write("warn", "the certificate has expired", { file: files.cert });
    return read;
  };
  const tls = certificate();
  const starting = startRouter({
    ...{ settings: KEPT, ...variables, remembers: false },
    // Metric records are at /metrics, and would drown the log here.
    write: (line) => void (isMetricRecord(line) || log.read(line)),
    ...(log.note ? { note: log.note } : {}),
    ...(tls ? { tls } : {}),
    ...(data === undefined ? {} : { data }),
    onLost: fail,
  });
  const renew = () => {
    const renewed = certificate();
    if (renewed) starting.then(({ setCertificate }) => setCertificate(renewed)).catch(fail);
  };
  // Before it is ready: a reload while a large folder is opened would end the process.
  onSignals({
    ...{ log, fail, isKept: data !== undefined },
    router: { stop: async () => (await starting).stop() },
    ...(files ? { renew } : {}),
  });
  const router = await starting;
  const { secret, claim } = variables;
  const token = secret === DEV_SECRET ? await devToken(secret, Date.now(), claim) : undefined;
  const { url, socketUrl } = router;
  if (isTerminal || token !== undefined) console.log(welcome(router, { token, data }));
  else log.write("info", "ready", { url, socketUrl, data });
}

/** An hour of every topic and user: who tries the router on one machine sees what a cut and a reload recover. */
const KEPT = {
  streams: [{ topics: "*", seconds: 3_600, count: 1_000 }],
  userStreams: { seconds: 3_600, count: 1_000 },
};
