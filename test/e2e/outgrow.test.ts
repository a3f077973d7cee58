import { expect, test } from "vitest";
import { start } from "../../local/start.ts";
import { temporary } from "../engine/store/temporary.ts";
import { connect as connectLocally } from "../support/client.ts";
import { command, tagwire } from "../support/command.ts";
import { post, receipt } from "../support/http.ts";
import { patient } from "../support/patient.ts";
import { OUTPUTS, SETTINGS } from "./harness/stack.ts";
import { type Body, connect, producer } from "./support/client.ts";
import { type Deployment, deployment } from "./support/deployment.ts";

const router = deployment();

/** Seconds that clients have to connect before what waited is delivered. */
const HOLD_SECONDS = 10;

const KEPT = { topic: "kept/orders" };
const range = (from: number, to: number, name: string) =>
  Array.from({ length: to - from }, (_, i) => `${name}-${from + i}`);

/**
 * A machine with all that an export may hold: `s-0` to `s-6` in a stream, of which a client has seen the first four and
 * the last still waits; `w-0` to `w-11`; the receipts of `done` and `stopped`, and the dead letter of `dead`. Returns
 * the position of the client, and the receipt of `done`.
 */
async function aMachine(data: string) {
  const settings = patient({
    ...SETTINGS,
    deliveryRounds: 1,
    advanced: { sendAttempts: 1, backoff: { baseSeconds: 1, capSeconds: 1 } },
  });
  const machine = await start({ data, settings });
  const ann = await connectLocally(machine, "ann");
  ann.send({ type: "subscribe", topics: [KEPT.topic] });
  await ann.next();
  let position = 0;
  for (const id of range(0, 4, "s")) {
    await post(machine, { id, target: KEPT, data: id });
    position = Number(((await ann.next()) as Body)["seq"]);
  }
  ann.send({ type: "unsubscribe", topics: [KEPT.topic] });
  await ann.next();
  for (const id of range(4, 6, "s")) await post(machine, { id, target: KEPT, data: id });
  await post(machine, { id: "done", target: { user: "ann" }, data: 1, dedupeSeconds: 3_600 });
  expect(await ann.next()).toMatchObject({ id: "done" });
  const outage = machine.spy.startOutage(503, { concerns: ({ method }) => method === "POST" });
  await post(machine, { id: "dead", target: { user: "ann" }, data: 1 });
  await expect.poll(() => receipt(machine, "dead")).toMatchObject({ state: "dead" });
  outage();
  await post(machine, { id: "stopped", target: { user: "ann" }, data: 1, delaySeconds: 600 });
  await receipt(machine, "stopped", { method: "DELETE" });
  const done = await receipt(machine, "done");
  await machine.stop(0);

  // Its lanes wait for a client that is not coming back, so all that is posted is in them when it stops.
  const held = await start({ data, settings, reconnectSeconds: 3_600 });
  for (const id of range(0, 12, "w")) await post(held, { id, target: { topic: "plain" }, data: "\ufffe🙂" });
  for (const id of [...range(6, 7, "s"), "done"]) await post(held, { id, target: KEPT, data: id });
  await held.stop(0);
  return { position, done };
}

/** `tagwire export --data … | tagwire import --outputs …`: two processes and a pipe. */
async function moved(data: string, { env }: Deployment): Promise<string> {
  const out = command(["export", "--data", data]);
  const into = command(["import", "--outputs", OUTPUTS, "--hold-seconds", String(HOLD_SECONDS)], env);
  out.child.stdout.pipe(into.child.stdin);
  const [[code, , err], [importCode, imported, importErr]] = await Promise.all([out.finished, into.finished]);
  expect({ code, err, importCode, importErr }).toMatchObject({ code: 0, importCode: 0, importErr: "" });
  return imported;
}

test("what a machine kept goes on in the account: waiting messages, dead letters, receipts and a stream", async () => {
  const data = temporary();
  const { position, done } = await aMachine(data);
  expect(await moved(data, router)).toMatch(
    /^carried 15 waiting messages, 1 dead letters, \d+ rows of receipts, \d+ rows of streams\n$/,
  );

  const client = await connect(router, "ann");
  await client.request({ type: "subscribe", topics: ["plain"] });
  const resumed = await client.request({
    type: "subscribe",
    topics: [KEPT.topic],
    since: { [KEPT.topic]: position },
  });
  expect(resumed).toMatchObject({
    recovered: { [KEPT.topic]: true },
    messages: [
      { id: "s-4", seq: position + 1, data: "s-4" },
      { id: "s-5", seq: position + 2, data: "s-5" },
    ],
  });
  const shop = await producer(router, "producer");
  expect((await shop.receipt("done")).body).toEqual(done);
  expect((await shop.receipt("stopped")).body).toMatchObject({ state: "cancelled" });
  expect((await shop.receipt("dead")).body).toMatchObject({ state: "dead" });

  const waited = ["s-6", ...range(0, 12, "w")];
  for (const id of waited)
    expect(await shop.ended(id, 60_000)).toMatchObject({ state: "delivered", counts: { sent: 1 } });
  const came = await client.rest();
  expect(came.map(({ id }) => id).toSorted()).toEqual(waited.toSorted());
  expect(came.find(({ id }) => id === "s-6")).toMatchObject({ seq: position + 3, topic: KEPT.topic });
  expect(came.find(({ id }) => id === "w-0")).toMatchObject({ topic: "plain", data: "\ufffe🙂" });

  const { out } = await tagwire(["dead-letters", "list", "--id", "dead", "--json"], router);
  expect(JSON.parse(out)).toMatchObject({ id: "dead", reason: expect.stringContaining("503") });
  expect(await tagwire(["dead-letters", "redrive", "--id", "dead"], router)).toMatchObject({ code: 0 });
  // The connection that it was pending for ended with the machine.
  await expect
    .poll(async () => (await shop.receipt("dead")).body)
    .toMatchObject({ state: "no-recipients", counts: { gone: 1, pending: 0 } });

  // A duplicate stays one, and the stream goes on in the account.
  await shop.send({ id: "done", target: KEPT, data: 3 });
  await shop.send({ id: "next", target: KEPT, data: "next" });
  expect(await client.message()).toMatchObject({ id: "next", seq: position + 4 });
  expect(await client.rest()).toEqual([]);
  await client.close();
}, 180_000);
