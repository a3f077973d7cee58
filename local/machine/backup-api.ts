import { rmSync } from "node:fs";
import { open } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { authorize } from "../../functions/runtime/http.ts";
import type { Tokens } from "../../shared/ports.ts";
import { messageOf, type Refusal } from "../../shared/protocol/errors.ts";
import type { Store } from "../engine/store/store.ts";
import { sendProblem } from "../gateway/reply.ts";

interface BackupApiDeps {
  readonly store: Pick<Store, "backUp">;
  /** The folder of the store, which has room for the copy. Absent: the store is in memory. */
  readonly folder?: string | undefined;
  readonly tokens: Tokens;
  /** Milliseconds that a client may take nothing of the copy, which lies on the disk until it has it. @default a minute */
  readonly patience?: number;
}

const MINUTE = 60_000;

/**
 * Answers `GET /v1/backup` with the file that a copy of the store's folder begins with, for tokens with `admin`. Returns
 * false for any other request, and does nothing then.
 */
export function backupApi({ store, folder, tokens, patience = MINUTE }: BackupApiDeps) {
  const copy = join(folder ?? "", ".backup");
  const clean = () => {
    for (const path of [copy, `${copy}.unfinished`]) rmSync(path, { force: true });
  };
  // What a process that was killed has left.
  if (folder !== undefined) clean();
  let isUnderWay = false;

  const send = async (response: ServerResponse): Promise<void> => {
    await store.backUp(copy);
    const file = await open(copy);
    try {
      const { size } = await file.stat();
      response.setTimeout(patience, () => response.destroy());
      response.writeHead(200, { "content-type": "application/vnd.sqlite3", "content-length": size });
      await pipeline(file.createReadStream({ autoClose: false }), response);
    } finally {
      await file.close();
    }
  };

  return async (request: IncomingMessage, response: ServerResponse, path: string): Promise<boolean> => {
    if (request.method !== "GET" || path !== "/v1/backup") return false;
    const caller = await authorize(tokens, { headers: request.headers });
    const refusal = caller.ok ? refusalOf(caller.value.admin, folder, isUnderWay) : caller.refusal;
    if (refusal) {
      sendProblem(response, refusal);
      return true;
    }
    isUnderWay = true;
    try {
      await send(response);
    } catch (fault) {
      if (response.headersSent) response.destroy();
      else sendProblem(response, unavailable(messageOf(fault)));
    } finally {
      clean();
      isUnderWay = false;
    }
    return true;
  };
}

function refusalOf(isAdmin: boolean, folder: string | undefined, isUnderWay: boolean): Refusal | undefined {
  if (!isAdmin) return { code: "RECEIPT_FORBIDDEN", detail: "a backup is for tokens with tagwire.admin" };
  if (folder === undefined)
    return {
      code: "ROUTE_NOT_FOUND",
      detail: "there is nothing to back up: this router keeps its data in memory",
    };
  return isUnderWay ? { ...unavailable("another backup is under way"), retryAfter: 5 } : undefined;
}

const unavailable = (detail: string): Refusal => ({ code: "STORE_UNAVAILABLE", detail });
