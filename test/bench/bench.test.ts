import { createServer, request } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { callsOf, roundTripsOf, sum } from "../../bench/calls.ts";
import { median, perCpuSecond, rateOf, ratio } from "../../bench/measure.ts";
import { svg } from "../../bench/plot.ts";
import { asMarkdown, asText, type BenchReport } from "../../bench/report.ts";
import { listen, shut } from "../../local/listen.ts";

test.each([
  { values: [3], middle: 3 },
  { values: [9, 1, 2], middle: 2 },
  { values: [4, 1, 9, 2], middle: 3 },
])("the median of $values is $middle", ({ values, middle }) => expect(median(values)).toBe(middle));

test("a ratio compares within a round, so that a slow round does not count", () => {
  const rates = new Map([
    ["ours", [20, 2, 20]],
    ["theirs", [10, 1, 10]],
  ]);
  expect(ratio(rates, "ours", "theirs")).toBe(2);
  expect(ratio(rates, "theirs", "ours")).toBe(0.5);
});

test("who does more work for each turn has the lower rate", async () => {
  const spin = (times: number) => async () => {
    let sum = 0;
    for (let i = 0; i < times * 20_000; i++) sum += Math.sqrt(i);
    return sum;
  };
  const contestants = [
    { name: "once", run: spin(1) },
    { name: "thrice", run: spin(3) },
  ];
  const rates = await perCpuSecond(contestants, { rounds: 5, window: 30 });
  expect(rateOf(rates, "once")).toBeGreaterThan(0);
  expect(ratio(rates, "once", "thrice")).toBeGreaterThan(1.3);
});

test("calls are counted by their operation", async () => {
  const server = createServer((incoming, response) => incoming.resume().on("end", () => response.end()));
  const url = `http://127.0.0.1:${await listen(server)}`;
  onTestFinished(() => shut(server));
  const call = (target: string) =>
    new Promise((resolve, reject) => {
      request(url, { method: "POST", headers: { "x-amz-target": target } }, (response) =>
        response.resume().on("end", resolve),
      )
        .on("error", reject)
        .end();
    });
  const calls = await callsOf(async () => {
    await call("AmazonSQS.SendMessage");
    await call("DynamoDB_20120810.Query");
    await fetch(url, { method: "POST", headers: { "x-amz-target": "DynamoDB_20120810.Query" } });
    await fetch(`${url}/prod/@connections/a%3D`, { method: "POST" });
  });
  expect(Object.fromEntries(calls)).toEqual({ SendMessage: 1, Query: 2, PostToConnection: 1 });
  expect(sum(calls, "SendMessage", "Query", "GetItem")).toBe(3);
  expect(await callsOf(async () => {})).toEqual(new Map());
});

const REPORT: BenchReport = {
  name: "post",
  title: "Posts",
  method: "We posted.",
  packages: ["undici"],
  columns: ["posts", "rate"],
  rows: [{ control: true, cells: ["theirs <&>", 1_234.5] }, { cells: ["ours", 12.345] }],
  invariants: [
    { what: "ours to theirs", got: 5, wants: { least: 5 } },
    { what: "calls", got: 3, wants: { most: 2 } },
  ],
  chart: {
    title: "Rate",
    bars: [
      { label: 'theirs "<&>"', value: 1_234.5, control: true },
      { label: "ours", value: 0 },
    ],
  },
};

test("a report says what was kept and what was missed, and marks the control rows", () => {
  for (const page of [asText(REPORT), asMarkdown(REPORT)]) {
    expect(page).toContain("kept: ours to theirs is 5, to be at least 5");
    expect(page).toContain("MISSED: calls is 3, to be at most 2");
    expect(page).toContain("1,235");
    expect(page).toMatch(/undici \d+\./);
  }
  expect(asMarkdown(REPORT)).toContain("| *theirs <&>* |");
  expect(asText(REPORT)).toMatch(/1,235 {2}\(control\)/);
});

test.each([
  false,
  true,
])("a plot escapes its labels and has a bar for each row (logarithmic: %s)", (logarithmic) => {
  const drawn = svg({ ...REPORT.chart, logarithmic });
  expect(drawn.match(/<rect /g)).toHaveLength(2);
  expect(drawn).toContain("theirs &quot;&lt;&amp;>&quot;");
  expect(drawn).not.toContain("NaN");
});

test("round trips are the calls one after another: those side by side are one", async () => {
  const server = createServer((incoming, response) => incoming.resume().on("end", () => response.end()));
  const url = `http://127.0.0.1:${await listen(server)}`;
  onTestFinished(() => shut(server));
  const byFetch = async () => (await fetch(url, { method: "POST" })).text();
  const byNode = () =>
    new Promise((resolve, reject) => {
      request(url, (response) => response.resume().on("end", resolve))
        .on("error", reject)
        .end();
    });
  expect(await roundTripsOf(async () => {})).toBe(0);
  expect(await roundTripsOf(() => Promise.all([byFetch(), byNode(), byFetch()]))).toBe(1);
  expect(
    await roundTripsOf(async () => {
      await Promise.all([byFetch(), byNode()]);
      await byNode();
      await byFetch();
    }),
  ).toBe(3);
});
