import { expect, test, vi } from "vitest";
import { emfTelemetry } from "../../shared/adapters/emf/telemetry.ts";
import { TagwireError } from "../../shared/protocol/errors.ts";

const telemetryOf = (
  service: string,
  router: string,
  write: (line: string) => void,
  level: "info" | "warn" = "info",
) => emfTelemetry({ service, router, level, write })();

/** A run's telemetry, and the lines that it has printed. */
function printed(service = "consume", router = "Shop/Router") {
  const lines: string[] = [];
  const telemetry = telemetryOf(service, router, (line) => void lines.push(line));
  return { telemetry, records: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test("counts of one run are summed into one record that CloudWatch reads", () => {
  const { telemetry, records } = printed();
  telemetry.count("FramesSent", 3);
  telemetry.count("FramesSent");
  telemetry.count("Claims");
  telemetry.count("SendsBusy", 0);
  telemetry.flush();
  const [record, ...more] = records();
  expect(more).toEqual([]);
  expect(record).toMatchObject({ service: "consume", router: "Shop/Router", FramesSent: 4, Claims: 1 });
  expect(record).not.toHaveProperty("SendsBusy");
  expect(record?._aws).toMatchObject({
    Timestamp: expect.any(Number),
    CloudWatchMetrics: [
      {
        Namespace: "Tagwire",
        Dimensions: [["service", "router"]],
        Metrics: [
          { Name: "FramesSent", Unit: "Count" },
          { Name: "Claims", Unit: "Count" },
        ],
      },
    ],
  });
});

test("a run that counted nothing prints nothing, and a count is printed once", () => {
  const { telemetry, records } = printed();
  telemetry.flush();
  expect(records()).toEqual([]);
  telemetry.count("Claims");
  telemetry.flush();
  telemetry.flush();
  expect(records()).toHaveLength(1);
});

test("the counts of two runs, of two functions and of two routers are kept apart", () => {
  const [one, two, other] = [printed(), printed(undefined, "Shop/Chat"), printed("ingest")];
  one.telemetry.count("Claims");
  two.telemetry.count("Claims", 2);
  other.telemetry.count("MessagesAccepted");
  for (const { telemetry } of [two, other, one]) telemetry.flush();
  expect(one.records()).toMatchObject([{ Claims: 1 }]);
  expect(two.records()).toMatchObject([{ router: "Shop/Chat", Claims: 2 }]);
  expect(other.records()).toMatchObject([{ service: "ingest", MessagesAccepted: 1 }]);
  expect(other.records()[0]).not.toHaveProperty("Claims");
});

const base = {
  time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
  service: "consume",
  router: "Shop/Router",
};

test("a warning names its event and its fault, and holds no stack", () => {
  const { telemetry, records } = printed();
  telemetry.warn("record failed", { lane: "high" }, new TagwireError("TABLE_UNAVAILABLE", "no answer"));
  telemetry.warn("visibility not changed", {});
  expect(records()).toEqual([
    {
      ...base,
      level: "WARN",
      message: "record failed",
      lane: "high",
      fault: "TagwireError: no answer",
    },
    { ...base, level: "WARN", message: "visibility not changed" },
  ]);
});

test("a step of a message is a record of its own, unless only warnings are logged", () => {
  const { telemetry, records } = printed();
  telemetry.info?.("message delivered", { messageId: "a", sent: 3 });
  expect(records()).toEqual([
    { ...base, level: "INFO", message: "message delivered", messageId: "a", sent: 3 },
  ]);
  expect(telemetryOf("consume", "Shop/Router", () => {}, "warn").info).toBeUndefined();
});

test("measurements are values of one record for each lane, and none is lost of a full batch", () => {
  const { telemetry, records } = printed();
  for (let i = 0; i < 10; i++) telemetry.observe("LaneWait", i, "low");
  telemetry.observe("LaneWait", 70, "high");
  telemetry.observe("QuotaInUse", 50);
  telemetry.count("Claims");
  telemetry.flush();
  telemetry.flush();
  const [whole, low, high, ...more] = records();
  expect(more).toEqual([]);
  expect(low).toMatchObject({ lane: "low", LaneWait: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] });
  expect(high).toMatchObject({ lane: "high", LaneWait: 70 });
  expect(whole).toMatchObject({ QuotaInUse: 50, Claims: 1 });
  expect(low).not.toHaveProperty("Claims");
  expect(whole).not.toHaveProperty("lane");
  expect(high?._aws).toMatchObject({
    CloudWatchMetrics: [
      {
        Dimensions: [["service", "router", "lane"]],
        Metrics: [{ Name: "LaneWait", Unit: "Milliseconds" }],
      },
    ],
  });
});

test("a run that measures more than a record holds writes one record all the same", () => {
  const { telemetry, records } = printed();
  for (let i = 0; i < 150; i++) telemetry.observe("LaneWait", i, "low");
  telemetry.flush();
  expect(records()).toMatchObject([{ LaneWait: Array.from({ length: 99 }, (_, i) => i) }]);
});

test("a record has the trace of its invocation, as Lambda names it", () => {
  vi.stubEnv(
    "_X_AMZN_TRACE_ID",
    "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=557abcec3ee5a047;Sampled=1",
  );
  try {
    const { telemetry, records } = printed();
    telemetry.warn("record failed", {});
    expect(records()).toMatchObject([{ xrayTraceId: "1-5759e988-bd862e3fe1be46a994272793" }]);
  } finally {
    vi.unstubAllEnvs();
  }
});
