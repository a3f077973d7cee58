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
  const text = await render({ tagwire_connections_open: 7 });
  expect(text).toContain('tagwire_frames_sent_total{service="consume"} 9');
  expect(text).toContain('tagwire_frames_sent_total{service="consume",lane="high"} 1');
  expect(text).toContain("# TYPE tagwire_frames_sent_total counter");
  expect(text).toContain("tagwire_connections_open 7");
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
