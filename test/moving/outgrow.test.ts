import { expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import { connect } from "../../client/index.ts";
import type { Router } from "../../local/options.ts";
import { start } from "../../local/start.ts";
import { temporary } from "../engine/store/temporary.ts";
import { connect as connectSocket, tokenFor } from "../support/client.ts";
import { tagwire } from "../support/command.ts";
import { post, receipt } from "../support/http.ts";
import { patient } from "../support/patient.ts";
import { anAccount, exportOf, importInto } from "./support.ts";

vi.setConfig({ testTimeout: 120_000 });

/** One settings file, for the machine and for the account. */
const settings = patient({
  streams: [{ topics: "kept/*", seconds: 3_600, count: 1_000 }],
  deliveryRounds: 1,
  advanced: { sendAttempts: 1, backoff: { baseSeconds: 1, capSeconds: 1 } },
});

interface Seen {
  readonly id: string;
  readonly seq: number | undefined;
}

/** A client of tagwire/client that notes what it gets of a topic. */
function listener({ url }: Router, topic: string, positions: Readonly<Record<string, number>> = {}) {
  const client = connect({ url, token: () => tokenFor("anna"), WebSocket, positions });
  onTestFinished(() => client.close());
  const seen: Seen[] = [];
  const gaps: unknown[] = [];
  const recovered: unknown[] = [];
  client.on("gap", (gap) => gaps.push(gap));
  client.on("recovered", (event) => recovered.push(event));
  const { ready } = client.subscribe(topic, ({ id, seq }) => void seen.push({ id, seq }));
  return { client, seen, gaps, recovered, ready };
}

const states = async (router: Router, ids: readonly string[]) => {
  const receipts = await Promise.all(ids.map((id) => receipt(router, id)));
  return receipts.map(({ state }) => state);
};

test("a router that outgrew its machine goes on in an account: streams, waiting messages, receipts, dead letters", async () => {
  const data = temporary();
  const machine = await start({ data, settings });

  const before = listener(machine, "kept/orders");
  await before.ready;
  for (let i = 0; i < 12; i++)
    await post(machine, { id: `s-${i}`, target: { topic: "kept/orders" }, data: i });
  await expect.poll(() => before.seen.length).toBe(12);
  const positions = before.client.positions();
  before.client.close();
  for (let i = 12; i < 17; i++)
    await post(machine, { id: `s-${i}`, target: { topic: "kept/orders" }, data: i });

  const ann = await connectSocket(machine, "ann");
  await post(machine, { id: "done", target: { user: "ann" }, data: 1, dedupeSeconds: 3_600 });
  await ann.next();
  const outage = machine.spy.startOutage(503, { concerns: ({ method }) => method === "POST" });
  await post(machine, { id: "dead", target: { user: "ann" }, data: 1 });
  await expect.poll(() => states(machine, ["dead"]), { timeout: 30_000 }).toEqual(["dead"]);
  outage();
  await post(machine, { id: "stopped", target: { user: "ann" }, data: 1, delaySeconds: 600 });
  await receipt(machine, "stopped", { method: "DELETE" });
  await post(machine, { id: "later", target: { user: "ann" }, data: 1, delaySeconds: 600 });
  const done = await receipt(machine, "done");
  await machine.stop(0);

  // Nothing is delivered while it waits for clients, so all of this is in the lanes when it stops.
  const held = await start({ data, settings, reconnectSeconds: 3_600 });
  const waiting = Array.from({ length: 25 }, (_, i) => `w-${i}`);
  for (const id of [...waiting, "w-0"])
    await post(held, { id, target: { topic: "plain" }, data: "\ufffe🙂" });
  for (let i = 17; i < 20; i++) await post(held, { id: `s-${i}`, target: { topic: "kept/orders" }, data: i });
  await post(held, { id: "done", target: { topic: "plain" }, data: 2 });
  await held.stop(0);

  const exported = await exportOf(data);
  expect(exported).toMatchObject({ code: 0, err: expect.stringMatching(/^exported \d+ lines\n$/) });

  const account = await anAccount({ settings });
  const { router } = account;
  const at = exported.out.indexOf('{"kind":"waiting"');
  let connected = () => {};
  const clients = new Promise<void>((resolve) => {
    connected = resolve;
  });
  const importing = importInto(
    account,
    (async function* () {
      yield exported.out.slice(0, at);
      await clients;
      yield exported.out.slice(at);
    })(),
    ["--hold-seconds", "0"],
  );
  // Receipts are there after streams, and before what waits.
  await expect.poll(() => receipt(router, "done"), { timeout: 30_000 }).toEqual(done);
  const after = listener(router, "kept/orders", positions);
  const plain = listener(router, "plain");
  await Promise.all([after.ready, plain.ready]);
  connected();
  const imported = await importing;
  expect(imported).toMatchObject({ code: 0, err: "" });
  // 26 of w, 3 of s, done again, and the two that are delayed.
  expect(imported.out).toMatch(
    /^carried 32 waiting messages, 1 dead letters, \d+ rows of receipts, \d+ rows of streams\n$/,
  );
  await expect.poll(() => plain.seen.length, { timeout: 60_000 }).toBe(25);
  await expect.poll(() => after.seen.length, { timeout: 60_000 }).toBe(8);

  expect(after.gaps).toEqual([]);
  expect(after.recovered).toMatchObject([{ topic: "kept/orders" }]);
  const first = positions["kept/orders"] ?? Number.NaN;
  expect(after.seen.map(({ seq }) => seq)).toEqual(Array.from({ length: 8 }, (_, i) => first + 1 + i));
  expect(after.seen.map(({ id }) => id).toSorted()).toEqual(
    [12, 13, 14, 15, 16, 17, 18, 19].map((i) => `s-${i}`),
  );
  expect(plain.seen.map(({ id }) => id).toSorted()).toEqual(waiting.toSorted());
  await expect
    .poll(() => states(router, [...waiting, "s-18"]), { timeout: 60_000 })
    .toEqual(Array(26).fill("delivered"));

  expect(await states(router, ["dead", "stopped"])).toEqual(["dead", "cancelled"]);
  const [letter] = await router.spy.deadLetters();
  expect(letter).toMatchObject({ attributes: { reason: expect.stringContaining("503"), lane: "normal" } });
  expect(JSON.parse(letter?.body ?? "")).toMatchObject({ message: { id: "dead" } });

  // A duplicate stays one, and what comes next goes on in the stream.
  await post(router, { id: "done", target: { topic: "plain" }, data: 3 });
  const { id } = await post(router, { target: { topic: "kept/orders" }, data: "next" });
  await expect.poll(() => after.seen.at(-1), { timeout: 30_000 }).toEqual({ id, seq: first + 9 });
  // It goes on at the connection that it was pending for, which ended with the machine.
  expect(await tagwire(["dead-letters", "redrive"], { env: account.env })).toMatchObject({
    out: "redrove 1 (normal 1)\n",
  });
  await expect
    .poll(() => receipt(router, "dead"), { timeout: 30_000 })
    .toMatchObject({ state: "no-recipients", counts: { gone: 1, pending: 0 } });
  expect(plain.seen).toHaveLength(25);
  expect((await router.spy.queueSizes()).normal).toMatchObject({ delayed: 2 });
});
