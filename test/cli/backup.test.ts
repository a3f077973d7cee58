import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { temporary } from "../engine/store/temporary.ts";
import { tagwire } from "../support/command.ts";

const SQLITE = { "content-type": "application/vnd.sqlite3", "content-length": 1_000 };

test.each<{ how: string; answer: RequestListener; says: RegExp }>([
  {
    how: "never answers",
    answer: () => {},
    says: /^tagwire: cannot reach http:\S+: nothing came within 1 s;/,
  },
  {
    how: "stops in the middle",
    answer: (_, response) => void response.writeHead(200, SQLITE).write("a part"),
    says: /^tagwire: \S+ was not written: nothing came within 1 s\n$/,
  },
  {
    how: "refuses, and does not say why",
    answer: (_, response) => void response.writeHead(503, { "content-length": 1_000 }).write("{"),
    says: /^tagwire: cannot reach http:\S+: nothing came within 1 s;/,
  },
])("a backup from a router that $how is given up, and leaves no file", async ({ answer, says }) => {
  const server = createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close().closeAllConnections());
  const file = join(temporary(), "backup.db");
  const env = { TAGWIRE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  const done = await tagwire(["backup", file, "--timeout", "1"], { env });
  expect(done).toMatchObject({ code: 1, out: "", err: expect.stringMatching(says) });
  expect([existsSync(file), existsSync(`${file}.unfinished`)]).toEqual([false, false]);
});
