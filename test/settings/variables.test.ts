import { describe, expect, test } from "vitest";
import { lifeSeconds, reservedConcurrency, visibilitySeconds } from "../../shared/settings/derived.ts";
import { settings } from "../../shared/settings/settings.ts";
import { ENV, FUNCTIONS, readEnv } from "../../shared/settings/variables.ts";

describe.each(FUNCTIONS)("the variables of %s", (name) => {
  const env = Object.fromEntries(ENV[name].map((key) => [key, `value of ${key}`]));

  test("are read as they are", () => {
    expect(readEnv(name, { ...env, PATH: "/" })).toMatchObject(env);
  });

  test("are all named that are missing or empty, and no others", () => {
    const [first = "", second = "", ...others] = ENV[name];
    const rest = Object.fromEntries(others.map((key) => [key, "there"]));
    expect(() => readEnv(name, { ...rest, [second]: "" })).toThrow(
      expect.objectContaining({ code: "SETTINGS_INVALID", message: `${name} needs ${first}, ${second}` }),
    );
  });
});

test("a lane's variable has the lane in its name", () => {
  expect(ENV.ingest).toEqual([
    ...["QUEUE_URL_HIGH", "QUEUE_URL_NORMAL", "QUEUE_URL_LOW", "QUEUE_URL_FANOUT_HIGH"],
    ...["QUEUE_URL_FANOUT_NORMAL", "QUEUE_URL_FANOUT_LOW"],
    ...["QUOTAS_TABLE", "TOKENS", "SETTINGS", "ROUTER"],
  ]);
});

test.each([
  { retentionDays: 1, seconds: 82_800 },
  { retentionDays: 4, seconds: 342_000 },
])("in a queue of $retentionDays days a message lives an hour less", ({ retentionDays, seconds }) => {
  expect(lifeSeconds({ retentionDays })).toBe(seconds);
});

test("the consumer reserves the runs of all lanes, and a message is hidden for some of its timeouts", () => {
  const given = settings({
    lanes: {
      high: { concurrency: 7 },
      normal: { concurrency: 11 },
      low: { concurrency: 2 },
      "fanout-high": { concurrency: 15 },
      "fanout-normal": { concurrency: 10 },
      "fanout-low": { concurrency: 5 },
    },
    advanced: { visibilityFactor: 6, functions: { consume: { timeoutSeconds: 50 } } },
  });
  expect(reservedConcurrency(given)).toBe(50);
  expect(visibilitySeconds(given)).toBe(300);
});

describe("the one fanout lane of the release before", () => {
  const {
    QUEUE_URL_FANOUT_HIGH: _,
    QUEUE_URL_FANOUT_NORMAL: __,
    ...others
  } = Object.fromEntries(ENV.consume.map((key) => [key, `value of ${key}`]));

  test("is the lane of all jobs for a function whose variables are still those of that release", () => {
    const { QUEUE_URL_FANOUT_LOW: ___, ...former } = others;
    expect(readEnv("consume", { ...former, QUEUE_URL_FANOUT: "old" })).toMatchObject({
      QUEUE_URL_FANOUT_HIGH: "old",
      QUEUE_URL_FANOUT_NORMAL: "old",
      QUEUE_URL_FANOUT_LOW: "old",
    });
  });

  test("takes no lane from a function that knows it", () => {
    expect(readEnv("consume", { ...others, QUEUE_URL_FANOUT: "old" })).toMatchObject({
      QUEUE_URL_FANOUT_HIGH: "old",
      QUEUE_URL_FANOUT_LOW: "value of QUEUE_URL_FANOUT_LOW",
    });
  });
});
