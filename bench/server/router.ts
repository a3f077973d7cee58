import { start } from "../../local/start.ts";
import { serveParent } from "../child.ts";

export interface RouterReady {
  readonly url: string;
  readonly socketUrl: string;
}

const router = await start({ settings: { quotaRequestsPerSecond: 1_000_000, quotaFraction: 1 } });

/** The whole router. */
serveParent<RouterReady, never, never>({ url: router.url, socketUrl: router.socketUrl }, (none) => none);
