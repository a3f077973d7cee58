import { execFileSync } from "node:child_process";
import { openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { engineReceipts } from "../../local/engine/receipts.ts";
import { openStore, type Store } from "../../local/engine/store/store.ts";
import { engineStreams } from "../../local/engine/streams.ts";
import type { Line } from "../../shared/moving/line.ts";
import type { Tag } from "../../shared/protocol/tag.ts";
import { bodyOf } from "../../shared/receipts/job-body.ts";
import type { StreamRow } from "../../shared/streams/stream.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { ANN, aJob, delivered, lease, progress } from "../contract/receipt-parts.ts";
import { temporary } from "../engine/store/temporary.ts";
import { jobsOf, queueOver } from "../engine/support.ts";
import { tagwire } from "../support/command.ts";
import { aJob as aMessageJob } from "../support/message.ts";
import { exportOf } from "./support.ts";

/** What an export of a folder holds, which `fill` wrote. */
async function exported(fill: (store: Store) => Promise<unknown>): Promise<readonly Line[]> {
  const folder = temporary();
  const store = await openStore({ folder });
  await fill(store);
  await store.close();
  const { code, out, err } = await exportOf(folder);
  expect({ code, err }).toEqual({ code: 0, err: `exported ${out.split("\n").length - 1} lines\n` });
  return out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
}

const content = (lines: readonly Line[]) => lines.slice(1, -1);
const HOUR = 3_600_000;

test("an entry has its lane, its body, its receives and its delay, and expired messages are there too", async () => {
  const now = Date.now();
  const late = aMessageJob({ expiresAt: now - HOUR });
  const lines = await exported(async (store) => {
    const { queue } = queueOver(store, {}, memoryClock(now));
    await queue.send("high", [{ job: late }]);
    await queue.send(
      "low",
      jobsOf("ann", "delayed").map((entry) => ({ ...entry, delaySeconds: 600 })),
    );
    await queue.send("normal", jobsOf("ann", "done"));
    const [taken] = queue.take("normal", 1);
    queue.remove("normal", taken?.receiptHandle ?? "");
    for (let i = 0; i < 3; i++) {
      const [again] = queue.take("high", 1);
      await queue.changeVisibility("high", again?.receiptHandle ?? "", 0);
    }
  });
  expect(content(lines)).toEqual([
    {
      kind: "waiting",
      entry: expect.any(String),
      lane: "high",
      body: bodyOf(late),
      receives: 3,
      sentAt: now,
    },
    expect.objectContaining({ kind: "waiting", lane: "low", receives: 1, delayedUntil: now + 600_000 }),
  ]);
});

test("a dead letter has its reason and lane", async () => {
  const now = Date.now();
  const lines = await exported(async (store) => {
    const { queue } = queueOver(store, {}, memoryClock(now));
    await queue.deadLetter("low", "no job", "it is no job");
  });
  const letter = { lane: "low", body: "no job", reason: "it is no job", sentAt: now };
  expect(content(lines)).toEqual([{ kind: "dead-letter", entry: expect.any(String), ...letter }]);
});

test("receipts are there with the names that they count, and none is held by a run of the machine", async () => {
  const now = Date.now();
  const [done, retried, killed, old] = [aJob(), aJob(), aJob(), aJob()];
  const lines = await exported(async (store) => {
    const receipts = engineReceipts({ store, days: 15 });
    const claim = (job: typeof done, run: string, at = now, receive = 1) =>
      receipts.claim(job, { ...lease(run, { receive }), until: at + HOUR, returnsAt: at + HOUR }, at);
    await claim(done, "a");
    await receipts.settle(done, "a", delivered(1), now);
    await claim(retried, "b");
    await receipts.settle(retried, "b", { kind: "retry", progress, reason: "429" }, now);
    await claim(killed, "c", now, 2);
    await claim(old, "d", now - 16 * 24 * HOUR);
    await receipts.settle(old, "d", delivered(1), now - 16 * 24 * HOUR);
  });
  const rows = content(lines).flatMap((line) => (line.kind === "receipt" ? [line] : []));
  const of = ({ message }: typeof done) => rows.find(({ row }) => row.id === message.id);
  expect(rows).toHaveLength(3);
  expect(of(done)).toMatchObject({
    row: { producer: ANN, ending: "delivered" },
    expiresAt: now + 15 * 24 * HOUR,
  });
  const { pending, failed } = progress;
  expect(of(retried)).toMatchObject({
    row: { pending: 1, reason: "429", leaseUntil: 0 },
    names: { pending, failed },
  });
  expect(of(killed)?.row).toMatchObject({ run: "c", receive: 2, leaseUntil: 0 });
  for (const { row } of rows) expect(row).not.toHaveProperty("entryId");
  for (const { row } of rows) expect(row).not.toHaveProperty("returnsAt");
});

const aRow = (seq: number, next: number, expiresAt: number, fields: Partial<StreamRow> = {}): StreamRow => ({
  ...{ seq, next, messages: Array<string>(next - seq).fill("{}"), at: 1, until: expiresAt, expiresAt },
  ...fields,
});

test("a stream is its head, its root and its rows; no row of an earlier start, and no stream that is over", async () => {
  const now = Math.ceil(Date.now() / 1000) * 1000;
  const [alive, soon] = [now + 48 * HOUR, now + HOUR];
  const root = (next: number, until: number) => aRow(0, next, until, { messages: [] });
  const kept: Readonly<Record<string, readonly StreamRow[]>> = {
    "topic:a": [root(100, alive), aRow(100, 102, alive), aRow(102, 103, alive), aRow(5, 6, alive)],
    // Its name begins like the one before.
    "topic:a/b": [root(7, alive)],
    "topic:over": [root(1, soon), aRow(1, 2, soon)],
    "user:ann": [aRow(50, 51, now - 1_000), aRow(51, 52, alive)],
  };
  const lines = await exported(async (store) => {
    const streams = engineStreams(store);
    for (const [name, rows] of Object.entries(kept))
      for (const row of rows) await streams.append(name as Tag, row);
  });
  const rows = content(lines).map(
    (line) => line.kind === "stream" && [line.stream, line.row.seq, line.row.next],
  );
  expect(rows).toEqual([
    ["topic:a", 102, 103],
    ["topic:a", 0, 100],
    ["topic:a", 100, 102],
    ["topic:a/b", 0, 7],
    ["user:ann", 51, 52],
  ]);
});

test("an export is named by what it holds, so that it can be made again, and changes nothing", async () => {
  const folder = temporary();
  const fill = async (id: string) => {
    const store = await openStore({ folder });
    await queueOver(store).queue.send("normal", jobsOf("ann", id));
    await store.close();
  };
  const idOf = ({ out }: { out: string }) => JSON.parse(out.split("\n")[0] ?? "").id;
  await fill("a");
  const before = readFileSync(join(folder, "store.db"));
  const first = idOf(await exportOf(folder));
  expect(idOf(await exportOf(folder))).toBe(first);
  expect(readFileSync(join(folder, "store.db")).equals(before)).toBe(true);
  await fill("b");
  expect(idOf(await exportOf(folder))).not.toBe(first);
});

test("a router that runs, a folder of something else and damage are refused", async () => {
  const folder = temporary();
  const store = await openStore({ folder });
  await queueOver(store).queue.send("normal", jobsOf("ann", "some-id-to-be-damaged"));
  expect(await tagwire(["export"], { env: { TAGWIRE_DATA: folder } })).toMatchObject({
    code: 1,
    out: "",
    err: expect.stringMatching(/^tagwire: STORE_IN_USE: .*used by another process/),
  });
  await store.close();
  expect(await exportOf(temporary())).toMatchObject({
    code: 1,
    err: expect.stringMatching(
      /^tagwire: STORE_FOREIGN: \S+ holds no data of Tagwire; name the folder of a router\n$/,
    ),
  });
  const file = join(folder, "store.db");
  const bytes = readFileSync(file);
  const at = bytes.indexOf("some-id-to-be-damaged");
  const handle = openSync(file, "r+");
  writeSync(handle, "S", at);
  expect(await exportOf(folder)).toMatchObject({
    code: 1,
    out: "",
    err: expect.stringContaining("STORE_DAMAGED"),
  });
});

test("after a crash the log of the store is read too", async () => {
  const folder = temporary();
  const script = join(folder, "..", "tagwire-crash.mjs");
  onTestFinished(() => writeFileSync(script, ""));
  const source = new URL("../../local/engine/store/store.ts", import.meta.url).href;
  writeFileSync(
    script,
    `import { openStore } from ${JSON.stringify(source)};
     const store = await openStore({ folder: ${JSON.stringify(folder)} });
     await store.write([{ table: "entries", key: 5, value: '["high","ann",1,7,0]\\nbody' }]);
     process.kill(process.pid, "SIGKILL");`,
  );
  expect(() => execFileSync(process.execPath, ["--import", import.meta.resolve("tsx"), script])).toThrow();
  const { out } = await exportOf(folder);
  expect(JSON.parse(out.split("\n")[1] ?? "")).toEqual({
    ...{ kind: "waiting", entry: "5", lane: "high", body: "body", receives: 1, sentAt: 7 },
  });
});
