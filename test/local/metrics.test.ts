import { expect, test } from "vitest";
import { metrics } from "../../local/metrics.ts";
import { startTiny } from "./support.ts";

const record = (values: Record<string, unknown>, dimensions = ["service"]) =>
  JSON.stringify({
    _aws: {
      Timestamp: 0,
      CloudWatchMetrics: [
        {
          Namespace: "Tagwire",
          Dimensions: [dimensions],
          Metrics: [{ Name: "FramesSent", Unit: "Count" }],
        },
      ],
    },
    service: "consume",
    ...values,
  });

test("metric records add up to counters, whatever their labels", async () => {
  const { read, render } = metrics();
  read(record({ FramesSent: 2 }));
  read(record({ FramesSent: [3, 4] }));
  read(record({ FramesSent: 1, Lane: "high" }, ["service", "Lane"]));
  read('{"level":"INFO","message":"no metric"}');
  read('not JSON, but it says "CloudWatchMetrics"');
  const text = await render([{ name: "tagwire_connections_open", help: "Open.", values: [{ value: 7 }] }]);
  expect(text).toContain('tagwire_frames_sent_total{service="consume"} 9');
  expect(text).toContain('tagwire_frames_sent_total{service="consume",lane="high"} 1');
  expect(text).toContain("# TYPE tagwire_frames_sent_total counter");
  expect(text).toContain("tagwire_connections_open 7");
});

test("measurements are histograms in seconds, whether a record or the process brings them", async () => {
  const { read, render, telemetry } = metrics();
  const line = record({ LaneWait: [4, 60], router: "local", lane: "low" }, ["service", "router", "lane"]);
  read(line.replace('"FramesSent","Unit":"Count"', '"LaneWait","Unit":"Milliseconds"'));
  telemetry("consume", () => {}).observe("LaneWait", 7_000_000, "low");
  const labels = 'router="local",service="consume",lane="low"';
  const lines = (await render([])).split("\n").filter((text) => text.includes("lane_wait"));
  expect(lines).toContain("# TYPE tagwire_lane_wait_seconds histogram");
  const values = new Map(
    lines.map((text) => [
      text
        .slice(0, text.lastIndexOf(" "))
        .replace(/\{.*?\}/, (all) => [...all.slice(1, -1).split(",")].sort().join()),
      Number(text.slice(text.lastIndexOf(" "))),
    ]),
  );
  const key = (suffix: string, ...more: string[]) =>
    `tagwire_lane_wait_seconds_${suffix}${[...labels.split(","), ...more].sort().join()}`;
  expect(values.get(key("bucket", 'le="0.0025"'))).toBe(0);
  expect(values.get(key("bucket", 'le="0.005"'))).toBe(1);
  expect(values.get(key("bucket", 'le="0.1"'))).toBe(2);
  expect(values.get(key("bucket", 'le="3600"'))).toBe(2);
  expect(values.get(key("bucket", 'le="+Inf"'))).toBe(3);
  expect(values.get(key("count"))).toBe(3);
  expect(values.get(key("sum"))).toBeCloseTo(7_000.064);
});

test("each reading of the metrics shows what was counted since the start, and nothing twice", async () => {
  const { render, telemetry } = metrics();
  const { count } = telemetry("consume", () => {});
  const shown = async () => /tagwire_frames_sent_total\{.*\} (\d+)/.exec(await render([]))?.[1];
  count("FramesSent", 2);
  expect([await shown(), await shown()]).toEqual(["2", "2"]);
  count("FramesSent", 3);
  expect(await shown()).toBe("5");
});

test("what the process measures of two lanes is told apart", async () => {
  const { render, telemetry } = metrics();
  const { observe } = telemetry("consume", () => {});
  observe("LaneWait", 10, "high");
  observe("LaneWait", 10, "low");
  observe("LaneWait", 10, "high");
  const counts = (await render([])).matchAll(/^tagwire_lane_wait_seconds_count\{.*lane="(\w+)".*\} (\d+)$/gm);
  expect([...counts].map(([, lane, count]) => [lane, count]).sort()).toEqual([
    ["high", "2"],
    ["low", "1"],
  ]);
});

test("GET /metrics shows what the functions have counted", async () => {
  const { url } = await startTiny({
    ingest:
      ({ write }) =>
      async () => {
        write(record({ FramesSent: 5 }));
        return { statusCode: 202 };
      },
  });
  await fetch(`${url}/v1/messages`, { method: "POST" });
  const response = await fetch(`${url}/metrics`);
  expect(response.headers.get("content-type")).toContain("text/plain");
  const text = await response.text();
  expect(text).toContain('tagwire_frames_sent_total{service="consume"} 5');
  expect(text).toContain("tagwire_sends_in_flight 0");
});
