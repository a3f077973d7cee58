import { expect, test, vi } from "vitest";
import { tagwire } from "../../support/command.ts";
import { post, receipt } from "../../support/http.ts";
import { RUNTIMES } from "../../support/runtimes.ts";
import { deadLetters, idsOn, postMany, printed, sendRaw, startImpatient, userWithBusy } from "./support.ts";

// Many routers at once, and each command waits for a long poll.
vi.setConfig({ testTimeout: 240_000 });
/** A message whose outcome could not be written in time comes back after its lease, which is 70 s. */
const PATIENT = { timeout: 90_000 };

test.concurrent.for(
  RUNTIMES,
)("a dead letter is listed with its reason, shown whole, and redriven to the connection that still waits, %s", async ([
  ,
  startRouter,
], context) => {
  const router = await startImpatient(context, 2, startRouter);
  const { quick, busy, read } = await userWithBusy(router, "fay", 429);
  const message = { id: "o-1", target: { user: "fay" }, event: "order.shipped", data: { total: 1 } };
  await post(router, message);
  await router.spy.idle(PATIENT);
  expect(await receipt(router, "o-1")).toMatchObject({ state: "dead", counts: { sent: 1, pending: 1 } });

  const listed = await deadLetters(router, ["list"]);
  expect(listed).toMatchObject({ code: 0, err: "1 dead letters\n" });
  expect(listed.out).toMatch(/^20\S+Z {2}o-1 {2}producer → user:fay {2}.*429.*\n$/);
  const shown = await deadLetters(router, ["show", "o-1"]);
  expect(shown.out).toMatch(/^receipt +dead, 1 sent, 1 pending$/m);
  expect(shown.out).toMatch(/^data +{"total":1}$/m);
  expect(printed(await deadLetters(router, ["show", "o-1", "--json"]))).toMatchObject(
    [{ ...message, data: undefined, lane: "normal", message, receipt: { state: "dead" } }].map(
      ({ data: _, ...rest }) => rest,
    ),
  );

  read();
  expect(await deadLetters(router, ["redrive", "--dry-run"])).toMatchObject({
    code: 0,
    out: "would redrive 1 (normal 1)\n",
  });
  expect(await router.spy.deadLetters()).toHaveLength(1);
  expect(await deadLetters(router, ["redrive"])).toEqual({
    code: 0,
    out: "redrove 1 (normal 1)\n",
    err: "",
  });
  await router.spy.idle(PATIENT);
  expect(idsOn(quick)).toEqual(["o-1"]);
  expect(idsOn(busy)).toEqual(["o-1"]);
  expect(await receipt(router, "o-1")).toMatchObject({ state: "delivered", counts: { sent: 2, pending: 0 } });
  expect(await router.spy.deadLetters()).toEqual([]);
});

test.concurrent("a letter that was redriven twice is delivered once", async (context) => {
  const router = await startImpatient(context, 1);
  const { quick, busy, read } = await userWithBusy(router, "fay");
  await postMany(router, "fay", 1);
  await router.spy.idle(PATIENT);
  const [{ body = "" } = {}] = await router.spy.deadLetters();
  await sendRaw(router, "dead-letters", body);
  read();
  const redriven = await deadLetters(router, ["redrive"]);
  expect(redriven.out).toBe(
    "redrove 1 (normal 1)\nkept 1: they came back while this ran, or are there twice; run it again for them\n",
  );
  expect((await deadLetters(router, ["redrive"])).out).toBe("redrove 1 (normal 1)\n");
  await router.spy.idle(PATIENT);
  expect([idsOn(quick).length, idsOn(busy).length]).toEqual([1, 1]);
  expect(await router.spy.deadLetters()).toEqual([]);
});

test.concurrent.for(
  RUNTIMES,
)("a filter leaves the rest where everyone can see it, and a limit stops, %s", async ([
  ,
  startRouter,
], context) => {
  const router = await startImpatient(context, 1, startRouter);
  await userWithBusy(router, "fay");
  await postMany(router, "fay", 5);
  const gil = await userWithBusy(router, "gil", 429);
  // Fewer than a connection may fail before it is left alone for a while.
  await postMany(router, "gil", 2);
  await router.spy.idle(PATIENT);
  expect(printed(await deadLetters(router, ["list", "--json", "--target", "user:gil"]))).toHaveLength(2);
  expect(printed(await deadLetters(router, ["list", "--json", "--reason", "429"]))).toHaveLength(2);
  expect(
    printed(await deadLetters(router, ["list", "--json", "--reason", "/503/", "--limit", "3"])),
  ).toHaveLength(3);
  expect(printed(await deadLetters(router, ["list", "--json", "--older", "1h"]))).toHaveLength(0);
  gil.read();
  expect(await deadLetters(router, ["redrive", "--target", "user:gil", "--limit", "1"])).toMatchObject({
    out: "redrove 1 (normal 1)\n",
  });
  expect((await deadLetters(router, ["redrive", "--reason", "429"])).out).toBe("redrove 1 (normal 1)\n");
  await router.spy.idle(PATIENT);
  const left = printed(await deadLetters(router, ["list", "--json"]));
  expect(left.map(({ target }) => target)).toEqual(Array(5).fill({ user: "fay" }));
});

test.concurrent("the job of a large delivery goes back to the fanout lane of its priority", async (context) => {
  const router = await startImpatient(context, 1);
  const { busy, read } = await userWithBusy(router, "ann");
  const { id } = await post(router, { target: { user: "ann" }, data: 1 });
  await router.spy.idle(PATIENT);
  const [{ body = "" } = {}] = await router.spy.deadLetters();
  const job = { ...JSON.parse(body), range: { from: "00000000", to: "g" } };
  await deadLetters(router, ["purge", "--id", id]);
  await sendRaw(router, "dead-letters", JSON.stringify(job));
  read();
  expect((await deadLetters(router, ["redrive"])).out).toBe("redrove 1 (fanout-normal 1)\n");
  await router.spy.idle(PATIENT);
  expect(busy.buffered()).toHaveLength(1);
});

test.concurrent("a letter that SQS moved has the reason of its receipt", async (context) => {
  const router = await startImpatient(context, 1);
  await userWithBusy(router, "fay");
  await post(router, { id: "moved", target: { user: "fay" }, data: 1 });
  await router.spy.idle(PATIENT);
  const [{ body = "" } = {}] = await router.spy.deadLetters();
  await deadLetters(router, ["purge", "--yes"]);
  await sendRaw(router, "dead-letters", body);
  const [deadLetter] = printed(await deadLetters(router, ["list", "--json"]));
  expect(deadLetter).toMatchObject({ id: "moved", reason: expect.stringContaining("503") });
  expect(printed(await deadLetters(router, ["list", "--json", "--reason", "503"]))).toHaveLength(1);
});

test.concurrent("a body that cannot be parsed is shown and kept, until it is purged", async (context) => {
  const router = await startImpatient(context, 5);
  await sendRaw(router, "normal", "no JSON");
  await router.spy.idle(PATIENT);
  const [{ messageId = "" } = {}] = await router.spy.deadLetters();
  expect((await deadLetters(router, ["list"])).out).toContain(
    `${messageId}  cannot be parsed  MESSAGE_INVALID`,
  );
  expect((await deadLetters(router, ["show", messageId])).out).toMatch(/^body +no JSON$/m);
  expect(await deadLetters(router, ["redrive"])).toEqual({
    code: 0,
    out: "redrove 0\nkept 1: they cannot be parsed, so no lane would take them; purge them\n",
    err: "",
  });
  expect(await router.spy.deadLetters()).toHaveLength(1);
  expect((await deadLetters(router, ["purge", "--id", messageId])).out).toBe("purged 1\n");
  expect(await router.spy.deadLetters()).toEqual([]);
});

test.concurrent("purge wants a filter or --yes, and a dry run deletes nothing", async (context) => {
  const router = await startImpatient(context, 5);
  for (const body of ["a", "b"]) await sendRaw(router, "dead-letters", body);
  expect(await deadLetters(router, ["purge"])).toEqual({
    code: 2,
    out: "",
    err: "tagwire: purge would delete every dead letter; narrow it with a filter, or say --yes\n",
  });
  expect((await deadLetters(router, ["purge", "--dry-run"])).out).toBe("would purge 2\n");
  expect(await router.spy.deadLetters()).toHaveLength(2);
  expect((await deadLetters(router, ["purge", "--yes"])).out).toBe("purged 2\n");
  expect(await router.spy.deadLetters()).toEqual([]);
});

test.concurrent.for(RUNTIMES)("an id that is not there is a failure, %s", async ([
  ,
  startRouter,
], context) => {
  const router = await startImpatient(context, 5, startRouter);
  expect(await deadLetters(router, ["show", "nothing"])).toEqual({
    code: 1,
    out: "",
    err: "tagwire: no dead letter has the id nothing\n",
  });
});

test.each([
  {
    where: "a router far away",
    env: { TAGWIRE_URL: "https://router.example" },
    says: "name the dead-letter queue",
  },
  { where: "a router that is not there", env: { TAGWIRE_URL: "http://127.0.0.1:9" }, says: "cannot reach" },
  {
    where: "a queue that cannot be reached",
    env: {
      TAGWIRE_DEAD_LETTER_QUEUE_URL: "https://sqs.eu-west-1.amazonaws.com/1/t-dead-letters",
      AWS_ENDPOINT_URL_SQS: "http://127.0.0.1:9",
      AWS_ACCESS_KEY_ID: "a",
      AWS_SECRET_ACCESS_KEY: "b",
    },
    says: "QUEUE_UNAVAILABLE: dead letters not received",
  },
])("$where is named in one line", async ({ env, says }) => {
  const { code, out, err } = await tagwire(["dead-letters", "list"], { env });
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err).toContain(says);
  expect(err.trim().split("\n")).toHaveLength(1);
});
