import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { natsReader } from "../../bench/peers/dialect/nats.ts";
import { dataOf, eachNumber } from "../../bench/peers/dialect.ts";
import { affordable } from "../../bench/peers/idle.ts";
import { LOADS, nameOf, peersOptions } from "../../bench/peers/options.ts";
import { percentile } from "../../bench/peers/percentile.ts";
import { mostOpenFiles, parseStat, treeOf, usageOf } from "../../bench/peers/proc.ts";
import { ratioTo, withRatio } from "../../bench/peers/report/common.ts";
import { throughputReport } from "../../bench/peers/report/throughput.ts";
import { type ThroughputResult, throughput } from "../../bench/peers/throughput.ts";
import { VARIANTS, type Variant } from "../../bench/peers/variants.ts";
import { asMarkdown, kept } from "../../bench/report.ts";

test.each([
  { values: [5], percent: 99, is: 5 },
  { values: [3, 1, 2, 4], percent: 50, is: 2 },
  { values: Array.from({ length: 100 }, (_, i) => 100 - i), percent: 99, is: 99 },
  { values: [10, 9], percent: 99, is: 10 },
  { values: [], percent: 50, is: Number.NaN },
])("the percentile $percent of $values.length values is $is", ({ values, percent, is }) => {
  expect(percentile(values, percent)).toBe(is);
});

test("a percentile is one of the values, and so many percent are at most that", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ noNaN: true }), { minLength: 1 }),
      fc.integer({ min: 1, max: 100 }),
      (values, percent) => {
        const found = percentile(values, percent);
        expect(values.includes(found) || Object.is(found, 0)).toBe(true);
        expect(values.filter((value) => value <= found).length).toBeGreaterThanOrEqual(
          (percent / 100) * values.length,
        );
        expect(values.filter((value) => value < found).length).toBeLessThan((percent / 100) * values.length);
      },
    ),
  );
});

const STAT =
  "42 (a (b) c) S 7 42 42 0 -1 4194304 100 200 0 0 31 11 5 3 20 0 9 0 1000 123456789 2500 18446744073709551615 1 1 0";

test("a line of /proc/PID/stat is read by its fields, whatever the program is called", () => {
  expect(parseStat(STAT)).toEqual({ pid: 42, parent: 7, ticks: 31 + 11 + 5 + 3, pages: 2500 });
  expect(() => parseStat("42 (cut off) S 7 42")).toThrow("field 14 of a stat line is not a number");
});

test("a process and its descendants are one, their siblings are not", () => {
  const stat = (pid: number, parent: number) => ({ pid, parent, ticks: 0, pages: 0 });
  const tree = treeOf([stat(1, 0), stat(9, 5), stat(5, 3), stat(3, 1), stat(4, 1)], 3);
  expect(tree.map(({ pid }) => pid)).toEqual([3, 5, 9]);
});

test.runIf(process.platform === "linux")(
  "the CPU time and memory of a process are those that it sees itself",
  async () => {
    const script = `
    const end = Date.now() + 300; while (Date.now() < end);
    process.on("message", () => {});
    const { user, system } = process.cpuUsage();
    process.send({ cpu: (user + system) / 1e6, resident: process.memoryUsage().rss });`;
    const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "ignore", "ignore", "ipc"] });
    onTestFinished(() => void child.kill());
    const [itself] = (await once(child, "message")) as [{ cpu: number; resident: number }];
    const usage = usageOf(child.pid ?? 0);
    expect(usage.cpuSeconds).toBeGreaterThan(itself.cpu - 0.03);
    expect(usage.cpuSeconds).toBeLessThan(itself.cpu + 0.2);
    expect(usage.residentBytes / itself.resident).toBeGreaterThan(0.7);
    expect(usage.residentBytes / itself.resident).toBeLessThan(1.3);
  },
);

test.each([
  { line: "Max open files            1024                 20000                files     ", is: 20_000 },
  {
    line: "Max open files            1024                 unlimited            files     ",
    is: Number.POSITIVE_INFINITY,
  },
])("the most open files are the hard limit: $is", ({ line, is }) => {
  expect(mostOpenFiles(`Max processes 1 2 processes\n${line}\n`)).toBe(is);
  expect(affordable(10_000, is)).toBe(10_000);
  expect(affordable(20_000, is)).toBe(is === 20_000 ? 19_800 : 20_000);
});

test("messages are numbered in whatever envelope they come, several of them too, and one cut short is not whole", () => {
  const numbersIn = (text: string): number[] => {
    const all: number[] = [];
    eachNumber(Buffer.from(text), (number) => all.push(number));
    return all;
  };
  const frame = (number: number) =>
    JSON.stringify({ push: { pub: { data: dataOf(number), offset: number } } });
  expect(Math.abs(JSON.stringify(dataOf(1)).length - 500)).toBeLessThan(10);
  expect(numbersIn(frame(12_345))).toEqual([12_345]);
  expect(numbersIn([frame(1), frame(20), frame(3)].join("\n"))).toEqual([1, 20, 3]);
  expect(numbersIn(frame(4).slice(0, 200))).toEqual([Number.NaN]);
  expect(numbersIn('{"type":"ping"}')).toEqual([]);
});

test("the NATS protocol is read the same wherever its chunks end", () => {
  const bytes = Buffer.from('INFO {"a":1}\r\nMSG a.b 1 5\r\nhe\r\nl\r\n+OK\r\nMSG t 2 0\r\n\r\nPING\r\n');
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
      const heard: string[] = [];
      const take = natsReader({
        line: (line) => heard.push(line),
        message: (payload) => heard.push(`message ${payload}`),
      });
      const ends = [...cuts.toSorted((a, b) => a - b), bytes.length];
      ends.forEach((end, i) => {
        take(bytes.subarray(ends[i - 1] ?? 0, end));
      });
      expect(heard).toEqual(['INFO {"a":1}', "message he\r\nl", "+OK", "message ", "PING"]);
    }),
  );
});

test("a ratio compares within a round, and is missing where one of both is", () => {
  const value = (variant: string, round: number, of: number) => ({ variant, round, value: of });
  const values = [value("ours", 0, 20), value("theirs", 0, 10), value("ours", 1, 2), value("theirs", 1, 1)];
  expect(ratioTo([...values, value("ours", 2, 9)], "ours", "theirs")).toBe(2);
  expect(ratioTo(values, "ours", "nobody")).toBeNaN();
  expect(ratioTo(values, "nobody", "theirs")).toBeNaN();
  expect(withRatio(1_234.5, 0.4)).toBe("1,235 (0.40)");
  expect(withRatio(Number.NaN, 2)).toBe("–");
});

test("options pick servers, parts and loads by name, and say what is known", () => {
  const options = peersOptions({ only: "tagwire,socket.io", load: "1x1", part: "slow", scale: "0.5" });
  expect(options.variants.map(({ name }) => name)).toEqual(["tagwire", "socket.io"]);
  expect(options.loads.map(nameOf)).toEqual(["1x1@1", "1x1@20"]);
  expect(options).toMatchObject({ parts: ["slow"], scale: 0.5, isPartial: true });
  expect(peersOptions({ load: "1x100@20" }).loads.map(nameOf)).toEqual(["1x100@20"]);
  expect(peersOptions({})).toMatchObject({ parts: ["throughput", "latency", "memory"], isPartial: false });
  expect(peersOptions({}).variants.map(({ name }) => name)).not.toContain("tagwire-aws");
  expect(() => peersOptions({ only: "socketio" })).toThrow(
    /--only does not know socketio; it knows plain, tagwire,.*socket\.io/,
  );
  expect(() => peersOptions({ rounds: "0" })).toThrow("--rounds must be a number above 0, got 0");
});

const lossy = (fault: string): Variant => ({
  ...(VARIANTS.find(({ name }) => name === "plain") as Variant),
  name: "lossy",
  label: "A lossy server",
  command: ({ port }) => ({
    file: process.execPath,
    args: ["--import", "tsx", "test/bench/server/lossy.ts"],
    env: { PORT: String(port), FAULT: fault },
  }),
});

const measure = async (fault: string, inFlight: number): Promise<ThroughputResult> => {
  const data = mkdtempSync(join(tmpdir(), "tagwire-peers-"));
  onTestFinished(() => rmSync(data, { recursive: true }));
  const load = { sockets: 3, inFlight, warmUp: 3, messages: 10 };
  // Only what is lost is waited for.
  const patience = fault === "drop" ? 1_500 : 30_000;
  const [result] = await throughput(lossy(fault), { loads: [load], round: 0, scale: 1, data, patience });
  return result as ThroughputResult;
};

const reportOf = (result: ThroughputResult) =>
  throughputReport(
    {
      rows: [{ name: "lossy", label: "A lossy server", version: "1" }],
      absent: ["NATS: nats-server is not on the path"],
      throughput: [result],
      latency: [],
      memory: [],
      slow: [],
      commit: undefined,
      faults: [],
    },
    LOADS,
  );

test.each([
  { fault: "drop", inFlight: 1, says: /lost 1 frames, 1 of 3 of message 7/ },
  { fault: "drop", inFlight: 4, says: /lost \d frames, 1 of 3 of message 7/ },
  { fault: "truncate", inFlight: 1, says: /socket 0 got message NaN/ },
])("a server that does $fault with one frame is red, $inFlight in flight", async ({
  fault,
  inFlight,
  says,
}) => {
  const result = await measure(fault, inFlight);
  expect(result.fault).toMatch(says);
  expect(result.framesPerCpuSecond).toBeNaN();
  const report = reportOf(result);
  expect(report.invariants.every(kept)).toBe(false);
  expect(asMarkdown(report)).toMatch(/MISSED: cells with a lost or failed message is 1/);
  expect(asMarkdown(report)).toMatch(says);
});

test("a server that sends a frame again is not red, but named", async () => {
  const result = await measure("twice", 4);
  expect(result).toMatchObject({ messages: 10, repeats: 1 });
  const report = reportOf(result);
  expect(report.invariants.every(kept)).toBe(true);
  expect(asMarkdown(report)).toContain("1x3@4: 1 frames came again");
});

test("a server that loses nothing is not red, and what is not here is named", async () => {
  const result = await measure("none", 4);
  expect(result).toMatchObject({ messages: 10, warmUp: 3, isCutShort: false, repeats: 0 });
  expect(result.fault).toBeUndefined();
  const report = reportOf(result);
  expect(report.invariants.every(kept)).toBe(true);
  expect(asMarkdown(report)).toContain("not measured: NATS: nats-server is not on the path");
});
