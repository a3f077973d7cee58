import { readFileSync } from "node:fs";
import { expect, inject, test } from "vitest";
import { STACK } from "./harness/stack.ts";
import { connect, producer } from "./support/client.ts";
import { deployment } from "./support/deployment.ts";
import { type LogRecord, logsOf } from "./support/logs.ts";

const router = deployment();
const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const AUDIENCE = 9;

/** The query of docs/runbook.md for one message, and the field by which it finds its records. */
function documented(messageId: string) {
  const [, text = ""] = /```text\n(fields[\s\S]+?)```/.exec(readFileSync("docs/runbook.md", "utf8")) ?? [];
  const [, field = "", value = ""] = /\| filter (\w+) = "([^"]+)"/.exec(text) ?? [];
  expect(value).toBe("MESSAGE-ID");
  return { text: text.replace(value, messageId), field };
}

/**
 * The emulator's Insights takes the query and sorts, but filters by no field of a record (MiniStack 1.5.33,
 * services/cloudwatch_logs.py, _compile_insights_filter). So that is done here, as Insights finds fields in JSON.
 */
async function storyOf(messageId: string, since: number): Promise<readonly LogRecord[]> {
  const { text, field } = documented(messageId);
  const records = await logsOf(inject("deployed").endpoint).query(text, STACK, since);
  return records.filter((record) => record[field] === messageId);
}

test(
  "from the id of a message alone, the documented query tells its whole story",
  { timeout: 120_000 },
  async () => {
    const since = Date.now();
    const clients = await Promise.all(
      Array.from({ length: AUDIENCE }, (_, i) => connect(router, `story-${i}`, { tags: ["story:all"] })),
    );
    const [slow = ""] = await router.connectionsOf("story-0");
    await router.failSends(slow, [503, 503, 503, 503]);
    const response = await fetch(`${router.url}/v1/messages`, {
      method: "POST",
      headers: {
        ...{ "content-type": "application/json", traceparent: TRACE },
        authorization: `Bearer ${await router.token("story-teller")}`,
      },
      body: JSON.stringify({ target: { tags: { all: ["story:all"] } }, data: "a secret" }),
    });
    const { id } = (await response.json()) as { id: string };
    const teller = await producer(router, "story-teller");
    expect(await teller.ended(id, 60_000)).toMatchObject({ state: "delivered", counts: { sent: AUDIENCE } });

    const delivered = (told: readonly LogRecord[]) =>
      told
        .filter(({ message }) => message === "job delivered")
        .reduce((sum, { sent }) => sum + Number(sent), 0);
    // A run's log is there when the run is over, which may be after the receipt.
    await expect.poll(async () => delivered(await storyOf(id, since)), { timeout: 30_000 }).toBe(AUDIENCE);
    const told = await storyOf(id, since);
    const messages = told.map(({ message }) => message);
    expect(messages[0]).toBe("message accepted");
    expect(messages).toEqual(expect.arrayContaining(["message split", "job to be tried again"]));
    expect(told.find(({ message }) => message === "job to be tried again")).toMatchObject({
      ...{ connectionIds: [slow], pending: 1 },
    });
    for (const { service, requestId, runId } of told)
      expect([service, typeof (service === "ingest" ? requestId : runId)]).toEqual([
        expect.stringMatching(/^(ingest|consume)$/),
        "string",
      ]);
    for (const record of told)
      expect(record).toMatchObject({
        producer: "story-teller",
        traceparent: TRACE,
        router: expect.any(String),
      });
    expect(JSON.stringify(told)).not.toMatch(/a secret|eyJ/);
    await Promise.all(clients.map((client) => client.close()));
  },
);

test("a message that nobody posted has no story", async () => {
  expect(await storyOf("never-told", Date.now() - 60_000)).toEqual([]);
});
