import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { backupApi } from "../../local/machine/backup-api.ts";
import { secretTokens } from "../../shared/adapters/jwt/secret-tokens.ts";
import { DEV_SECRET } from "../../shared/settings/dev-secret.ts";
import { temporary } from "../engine/store/temporary.ts";
import { tokenFor } from "../support/client.ts";
import { dial, rawRequest } from "../support/raw.ts";

/** More than the buffers of two ends of a connection take. */
const COPY = Buffer.alloc(32 * 1024 * 1024);

test("a client that asks for a backup and does not read it keeps no other from one", async () => {
  const folder = temporary();
  const store = { backUp: async (path: string) => writeFileSync(path, COPY) };
  const tokens = secretTokens(async () => ({ text: DEV_SECRET }), { now: Date.now }, "tagwire");
  const serve = backupApi({ store, folder, tokens, patience: 1_000 });
  const server = createServer((request, response) => void serve(request, response, request.url ?? ""));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close().closeAllConnections());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const headers = { authorization: `Bearer ${await tokenFor("root", { admin: true })}` };

  const silent = await dial(url);
  onTestFinished(() => void silent.destroy());
  silent.pause();
  silent.write(rawRequest("GET /v1/backup", { host: "localhost", ...headers }));
  await expect.poll(() => readdirSync(folder)).toEqual([".backup"]);
  const answer = async () => {
    const response = await fetch(`${url}/v1/backup`, { headers });
    return [response.status, (await response.arrayBuffer()).byteLength];
  };
  await expect.poll(answer, { timeout: 20_000 }).toEqual([200, COPY.length]);
  await expect.poll(() => readdirSync(folder)).toEqual([]);
}, 30_000);
