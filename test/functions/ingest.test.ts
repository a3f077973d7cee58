import { ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { describe, expect, onTestFinished, test } from "vitest";
import { ingestFunction } from "../../functions/aws/ingest.ts";
import { sqsClient } from "../../local/twin/emulators/queue.ts";
import { BODY_BYTES } from "../../shared/protocol/limits.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { tokenFor } from "../support/client.ts";
import { httpPeer } from "../support/peer.ts";
import { countsIn, emulators, postOf } from "./support.ts";

const functions = emulators();
const TARGET = { topic: "orders" };
const GOOD = { target: TARGET, data: 1 };

/** Posts to a function of its own, and tells what it answered and printed. */
async function post(body: unknown, more: Parameters<typeof postOf>[2] = {}, claims = {}) {
  const { runtime, lines } = functions.runtime("ingest");
  const token = await tokenFor("producer", claims);
  const answer = await ingestFunction(runtime)(postOf(token, body, more));
  return { status: answer.statusCode, body: JSON.parse(String(answer.body)), lines, answer };
}

describe("an array", () => {
  test.each([
    { items: [{}, GOOD], status: 202 },
    { items: [GOOD, {}], status: 202 },
    { items: [{}, {}, GOOD, {}], status: 202 },
    { items: [{}, { ...GOOD, target: { topic: 1 } }], status: 400 },
  ])("is $status with these results", async ({ items, status }) => {
    const { body, ...answer } = await post(items);
    expect(answer.status).toBe(status);
    expect(body.map(({ state }: { state: string }) => state)).toEqual(
      items.map((item) => (item === GOOD ? "queued" : "refused")),
    );
  });

  test("without ids gets ids that strictly increase, in their own order", async () => {
    for (let round = 0; round < 20; round++) {
      const { body } = await post(Array(100).fill(GOOD));
      const ids: string[] = body.map(({ id }: { id: string }) => id);
      expect(ids).toEqual([...new Set(ids)].sort());
    }
  });

  test("gets times that never decrease, where the clock is set back meanwhile", async () => {
    let now = Date.now();
    const back = () => {
      now -= 7;
      return now;
    };
    const { runtime } = functions.runtime("ingest", { clock: { ...memoryClock(), now: back } });
    const token = await tokenFor("unsteady");
    const event = postOf(token, Array(10).fill({ ...GOOD, priority: "low" }));
    const answer = await ingestFunction(runtime)(event);
    const ids = JSON.parse(String(answer.body)).map(({ id }: { id: string }) => id);
    expect(ids).toEqual([...new Set(ids)].sort());
    const received = await receive("low");
    const messages = received.map(({ Body }) => JSON.parse(String(Body)).message);
    const times = ids.map((id: string) => messages.find((message) => message.id === id)?.time);
    expect(times).toEqual([...times].sort());
    expect(times).not.toContain(undefined);
  });
});

test("a single message that is queued has the address of its receipt in Location, which is readable across origins", async () => {
  const { status, answer } = await post({ ...GOOD, id: "o:1" });
  expect([status, answer.headers?.["location"]]).toEqual([202, "/v1/messages/o:1"]);
  expect((await post([GOOD])).answer.headers).not.toHaveProperty("location");
  expect((await post({})).answer.headers).not.toHaveProperty("location");
});

async function receive(lane: "low") {
  const client = sqsClient(functions.queues().endpoint);
  onTestFinished(() => client.destroy());
  const { Messages = [] } = await client.send(
    new ReceiveMessageCommand({
      QueueUrl: functions.queues().urls[lane],
      MaxNumberOfMessages: 10,
      MessageSystemAttributeNames: ["All"],
    }),
  );
  return Messages;
}

test("a message is in its producer's group, so that a noisy producer does not delay the others", async () => {
  // The stand-in for SQS does not tell the group of a standard queue's message, so the call itself is looked at.
  const sqs = await httpPeer(({ body }) => {
    const { Entries: entries = [] } = body as { Entries?: readonly { Id: string }[] };
    return {
      status: 200,
      body: { Successful: entries.map(({ Id }) => ({ Id, MessageId: Id })), Failed: [] },
    };
  });
  const { runtime } = functions.runtime("ingest");
  const env = { ...runtime.env, AWS_ENDPOINT_URL_SQS: sqs.url };
  const event = postOf(await tokenFor("producer"), [GOOD, GOOD]);
  expect(await ingestFunction({ ...runtime, env })(event)).toMatchObject({ statusCode: 202 });
  const sent = sqs.requests.map(({ body }) => body as object).filter((body) => "Entries" in body);
  expect(sent).toMatchObject([{ Entries: [{ MessageGroupId: "producer" }, { MessageGroupId: "producer" }] }]);
});

describe("metrics", () => {
  test("of a request are written before it is answered", async () => {
    const { lines } = await post([GOOD, {}, GOOD]);
    expect(countsIn(lines)).toMatchObject({ MessagesAccepted: 2, MessagesRefused: 1 });
  });

  test("of a fault are written too, and the answer names the fault and hides what is inside", async () => {
    const { runtime, lines } = functions.runtime("ingest", {
      readSecret: async () => {
        throw new Error("arn:aws:secretsmanager:1234 is not for you");
      },
    });
    const answer = await ingestFunction(runtime)(postOf(await tokenFor("producer"), GOOD));
    expect(answer.statusCode).toBe(503);
    expect(JSON.parse(String(answer.body))).toMatchObject({ code: "KEYS_UNAVAILABLE", status: 503 });
    expect(answer.body).not.toContain("arn:");
    expect(countsIn(lines)).toMatchObject({ Faults: 1 });
    expect(lines.join()).toContain("arn:aws:secretsmanager:1234");
  });
});

describe("a body", () => {
  const base64 = (bytes: string | Uint8Array) => ({
    body: Buffer.from(bytes as string).toString("base64"),
    isBase64Encoded: true,
  });
  const good = JSON.stringify(GOOD);
  const padded = (bytes: number) => good.padEnd(bytes, " ");

  test.each([
    { what: "in base64", more: base64(good), status: 202 },
    { what: "of 1 MiB in base64", more: base64(padded(BODY_BYTES)), status: 202 },
    { what: "of 1 MiB", more: { body: padded(BODY_BYTES) }, status: 202 },
    { what: "over 1 MiB in base64", more: base64(padded(BODY_BYTES + 1)), code: "BODY_TOO_LARGE" },
    { what: "over 1 MiB", more: { body: padded(BODY_BYTES + 1) }, code: "BODY_TOO_LARGE" },
    {
      what: "over 1 MiB in UTF-8, though shorter in characters",
      more: { body: `"${"é".repeat(BODY_BYTES / 2)}"` },
      code: "BODY_TOO_LARGE",
    },
    { what: "in Latin-1", more: base64(Buffer.from('{"é":1}', "latin1")), code: "BODY_NOT_JSON" },
    { what: "in UTF-16", more: base64(Buffer.from(good, "utf16le")), code: "BODY_NOT_JSON" },
    { what: "with a byte order mark", more: base64(`\ufeff${good}`), code: "BODY_NOT_JSON" },
    {
      what: "with half a character in UTF-8",
      more: base64(
        Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]),
      ),
      code: "BODY_NOT_JSON",
    },
    { what: "cut within a character", more: base64(Buffer.from("é").subarray(0, 1)), code: "BODY_NOT_JSON" },
    { what: "with half a character", more: { body: '{"a":"\ud800"}' }, code: "BODY_NOT_JSON" },
    { what: "that is null", more: { body: null }, code: "BODY_NOT_JSON" },
    { what: "that is absent", more: { body: undefined }, code: "BODY_NOT_JSON" },
    { what: "that is no text", more: { body: { target: TARGET } }, code: "BODY_NOT_JSON" },
    { what: "of gzip", more: base64(new Uint8Array([0x1f, 0x8b, 8, 0])), code: "BODY_NOT_JSON" },
  ])("$what is answered as it should be", async ({ more, status, code }) => {
    const answer = await post(good, more);
    if (status) expect(answer.status).toBe(status);
    else expect(answer.body).toMatchObject({ code });
  });

  test("with an escaped half of a character keeps it", async () => {
    expect((await post('{"target":{"topic":"a"},"data":"\\ud800"}')).status).toBe(202);
  });

  test("is not read for a token that may publish nothing", async () => {
    for (const claims of [{ publish: [] }, { publish: [], admin: true }]) {
      const { status, body } = await post("{".repeat(100_000), {}, claims);
      expect({ status, code: body.code }).toEqual({ status: 403, code: "TARGET_FORBIDDEN" });
    }
  });
});

test.each([".", ".."])("an id of %s is refused: no address could name its receipt", async (id) => {
  const { body } = await post({ ...GOOD, id });
  expect(body).toMatchObject({ code: "MESSAGE_INVALID", errors: [{ pointer: "/id" }] });
});
