import { readFileSync } from "node:fs";
import { Template } from "aws-cdk-lib/assertions";
import { expect, test } from "vitest";
import { METRIC_NAMES } from "../../shared/metric.ts";
import { routerStack } from "../infra/support.ts";

const page = readFileSync("docs/runbook.md", "utf8");
const template = Template.fromStack(
  routerStack({ settings: { streams: [{ topics: "*", seconds: 60, count: 10 }] } }).stack,
);
const alarms = Object.values(template.findResources("AWS::CloudWatch::Alarm")).map(
  ({ Properties }) => Properties as { AlarmDescription: string },
);
/** The part of the runbook that an alarm sends to. */
const anchors = alarms.map(({ AlarmDescription }) => /docs\/runbook\.md#(\S+)$/.exec(AlarmDescription)?.[1]);
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((text) => [text.slice(0, text.indexOf("\n")).toLowerCase(), text]),
);
const pages = [...new Set(anchors)];

test("each alarm says where its page is", () => {
  expect(anchors).not.toContain(undefined);
  expect(pages.filter((anchor) => !sections.has(anchor ?? ""))).toEqual([]);
});

test("there is no page without an alarm", () => {
  const others = ["the story of a message", "slos"];
  expect([...sections.keys()].filter((heading) => !others.includes(heading))).toEqual(pages);
});

test.each(
  pages,
)("the page %s says what it means, what to look at, what to do, and how to see that it worked", (anchor) => {
  const parts = [...(sections.get(anchor ?? "") ?? "").matchAll(/^\*\*(.+?)\*\* (.+)/gm)];
  expect(parts.map(([, name]) => name)).toEqual([
    "What it means.",
    "What to look at.",
    "What to do.",
    "How to see that it worked.",
  ]);
});

test("the metrics that it names are ours or those of AWS", () => {
  const ofAws = ["ConcurrentExecutions", "ExecutionError", "Count"];
  const alarmIds = Object.keys(template.findResources("AWS::CloudWatch::Alarm")).join(" ");
  const words = [...page.matchAll(/`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`/g)].map(([, word = ""]) => word);
  const known = [...METRIC_NAMES, ...ofAws] as readonly string[];
  expect(words.filter((word) => !known.includes(word) && !alarmIds.includes(`Alarms${word}`))).toEqual([]);
  expect(words.length).toBeGreaterThan(20);
});

test("the query of the runbook is the one that the stack keeps, over the log of every function", () => {
  const [query] = Object.values(template.findResources("AWS::Logs::QueryDefinition"));
  const [, documented = ""] = /```text\n(fields[\s\S]+?)\n```/.exec(page) ?? [];
  expect(query?.["Properties"].QueryString).toBe(documented);
  expect(query?.["Properties"].LogGroupNames).toHaveLength(5);
});

test("the graphs that it names are on the dashboard", () => {
  const [dashboard] = Object.values(template.findResources("AWS::CloudWatch::Dashboard"));
  const body = JSON.stringify(dashboard?.["Properties"].DashboardBody).replaceAll("\\", "");
  const titles = [...body.matchAll(/"title":"([^"]+)"/g)].map(([, title]) => title);
  const named = [...page.matchAll(/`([A-Z][a-z]+,? [^`]+|Waiting|Crashes)`/g)].map(([, name]) => name);
  const notGraphs = ["Task timed out"];
  expect(named.filter((name) => !notGraphs.includes(name ?? "") && !titles.includes(name))).toEqual([]);
  expect(new Set(named).size).toBeGreaterThan(8);
});

test("docs/deploy.md counts the alarms and queues that the stack makes", () => {
  const deploy = readFileSync("docs/deploy.md", "utf8");
  const [, without, withStream] = /(\d+) alarms \((\d+) with a stream\)/.exec(deploy) ?? [];
  expect([Number(without), Number(withStream)]).toEqual([alarms.length - 1, alarms.length]);
  const queues = Object.keys(template.findResources("AWS::SQS::Queue")).length;
  expect(deploy).toContain(
    `${["Six", "Seven", "Eight"][queues - 6]} queues (six lanes and the dead letters)`,
  );
});
