import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Router } from "../../local/options.ts";
import { connect, type TestSocket, tokenFor } from "../support/client.ts";
import { RUNTIMES } from "../support/runtimes.ts";

type LogRecord = Readonly<Record<string, unknown>>;

const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** The query that docs/runbook.md gives, over records: it keeps those of one message, in order of time. */
function story(records: readonly LogRecord[], messageId: string): readonly LogRecord[] {
  const [, query = ""] = /```text\n(fields[\s\S]+?)```/.exec(readFileSync("docs/runbook.md", "utf8")) ?? [];
  const [, field = "", value = ""] = /\| filter (\w+) = "([^"]+)"/.exec(query) ?? [];
  expect([value, /\| sort @timestamp/.test(query)]).toEqual(["MESSAGE-ID", true]);
  return records
    .filter((record) => record[field] === messageId)
    .sort((a, b) => String(a["time"]).localeCompare(String(b["time"])));
}

describe.each(RUNTIMES)("%s", (_name, startRouter) => {
  let router: Router;
  const sockets: TestSocket[] = [];
  const records: LogRecord[] = [];

  beforeAll(async () => {
    router = await startRouter({
      // A first page that fills a run, so that the message is split wherever the hashes of the connections lie.
      settings: { recipientsPerRun: 4, advanced: { firstPageSize: 4, pageSize: 4 } },
      write: (line) => void (line.startsWith("{") && records.push(JSON.parse(line))),
      note: (message, fields) =>
        void records.push({ time: new Date().toISOString(), level: "INFO", message, ...fields }),
    });
    for (let i = 0; i < 12; i++) sockets.push(await connect(router, `user-${i}`, []));
  }, 60_000);
  afterAll(() => router.stop(0));

  const postTraced = async (message: object, traceparent: string) => {
    const response = await fetch(`${router.url}/v1/messages`, {
      method: "POST",
      headers: {
        ...{ "content-type": "application/json", traceparent },
        authorization: `Bearer ${await tokenFor("producer")}`,
      },
      body: JSON.stringify(message),
    });
    const requestId = response.headers.get("apigw-requestid");
    return { requestId, id: ((await response.json()) as { id: string }).id };
  };
  const framesOf = (id: string) =>
    sockets.flatMap((socket) => socket.buffered().filter((frame) => (frame as { id?: string }).id === id));

  test(
    "from its id alone the log tells what became of a message, through jobs and retries, in one trace",
    { timeout: 120_000 },
    async () => {
      const [slow] = router.spy.connections();
      router.spy.failSends(slow ?? "", [503, 503, 503]);
      const data = "a secret";
      const { id, requestId } = await postTraced({ target: { everyone: true }, data }, TRACE);
      await router.spy.idle({ timeout: 60_000 });
      const told = story(records, id);
      const messages = told.map(({ message }) => message);
      expect(messages[0]).toBe("message accepted");
      // A run tells what it has done once it is written: of the jobs that it has sent, some may be done before.
      expect(messages).toEqual(
        expect.arrayContaining(["message split", "job delivered", "job to be tried again"]),
      );
      // A range may hold nobody, or be split once more.
      const jobs = ["job delivered", "job to be tried again", "job no-recipients", "job split"];
      const others = messages.slice(1).filter((message) => !jobs.includes(String(message)));
      expect(others).toEqual(["message split"]);
      expect(told[0]).toMatchObject({ service: "ingest", requestId, producer: "producer", lane: "normal" });
      const retried = told.find(({ message }) => message === "job to be tried again");
      expect(retried).toMatchObject({ connectionIds: [slow], pending: 1 });
      // Every run is named, and what it sent adds up to all that were there.
      const runs = told.filter(({ service }) => service === "consume");
      for (const { runId, router: name } of runs)
        expect([typeof runId, typeof name]).toEqual(["string", "string"]);
      const delivered = runs.filter(({ message }) => message === "job delivered");
      expect(delivered.reduce((sum, { sent }) => sum + Number(sent), 0)).toBe(12);
      expect(told.map(({ traceparent }) => traceparent)).toEqual(told.map(() => TRACE));
      await expect.poll(() => framesOf(id)).toHaveLength(12);
      expect(framesOf(id).map((frame) => (frame as { traceparent?: string }).traceparent)).toEqual(
        Array.from({ length: 12 }, () => TRACE),
      );
      expect(JSON.stringify(records)).not.toContain(data);
      expect(JSON.stringify(records)).not.toContain("eyJ");
    },
  );

  test("a message that is refused or cancelled has its story too", { timeout: 120_000 }, async () => {
    const refused = await postTraced({ id: "refused-1", target: {}, data: 1 }, TRACE);
    expect(story(records, "refused-1")).toMatchObject([
      { message: "message refused", code: "MESSAGE_INVALID", requestId: refused.requestId },
    ]);
    const later = { id: "later-1", target: { everyone: true }, data: 1, delaySeconds: 1 };
    await postTraced(later, "not a traceparent");
    await fetch(`${router.url}/v1/messages/later-1`, {
      method: "DELETE",
      headers: { authorization: `Bearer ${await tokenFor("producer")}` },
    });
    await router.spy.idle({ timeout: 60_000 });
    const told = story(records, "later-1");
    expect(told.map(({ message }) => message)).toEqual(["message accepted", "cancel asked for"]);
    expect(told[0]).not.toHaveProperty("traceparent");
  });
});
