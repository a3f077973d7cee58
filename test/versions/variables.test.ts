import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { consumeFunction } from "../../functions/aws/consume.ts";
import { ingestFunction } from "../../functions/aws/ingest.ts";
import { receiptsFunction } from "../../functions/aws/receipts.ts";
import type { Runtime } from "../../functions/aws/runtime.ts";
import { socketFunction } from "../../functions/aws/socket.ts";
import type { Router } from "../../local/options.ts";
import { startTwin } from "../../local/twin/start.ts";
import { FANOUT_LANES } from "../../shared/protocol/lane.ts";
import { readSettings, settingsVariable, withFormer } from "../../shared/settings/former.ts";
import { DEFAULTS, settings } from "../../shared/settings/settings.ts";
import { ENV, FUNCTIONS } from "../../shared/settings/variables.ts";
import { synth } from "../infra/support.ts";
import { connect, type TestSocket } from "../support/client.ts";
import { post, receipt } from "../support/http.ts";
import { patient } from "../support/patient.ts";

/*
 * CloudFormation changes the code and the variables of a function in two calls. So for some seconds of an update a function
 * runs with the code of one release and the variables of the other. What release 0.1.0 had was recorded from it.
 */
interface Recorded {
  readonly variables: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly settings: Readonly<Record<string, unknown>>;
}
const V1: Recorded = JSON.parse(readFileSync(new URL("v1.json", import.meta.url), "utf8"));

/** Each value that is no object, by its path. */
const leaves = (value: object, path = ""): readonly string[] =>
  Object.entries(value).flatMap(([name, one]) =>
    typeof one === "object" && one !== null && !Array.isArray(one)
      ? leaves(one, `${path}${name}.`)
      : [`${path}${name}`],
  );

describe("code of 0.1.0 with the variables of this release", () => {
  const { router, variablesOf } = synth();
  const given = Object.fromEntries(FUNCTIONS.map((name) => [name, variablesOf(router.functions[name])]));

  test.each(FUNCTIONS)("%s finds all that it needs", (name) => {
    const needs = [...Object.keys(V1.variables[name] ?? {}), "SETTINGS"];
    expect(needs.length).toBeGreaterThan(3);
    expect(Object.keys(given[name] ?? {})).toEqual(expect.arrayContaining(needs));
  });

  test.each(FUNCTIONS)("%s finds each setting that functions read", (name) => {
    // The stack alone reads how large a batch is.
    const read = leaves(V1.settings).filter((path) => path !== "advanced.batchSize.fanout");
    expect(leaves(JSON.parse(String(given[name]?.["SETTINGS"])))).toEqual(expect.arrayContaining(read));
  });

  test("its one fanout lane is that of normal priority", () => {
    const { lanes } = JSON.parse(settingsVariable(DEFAULTS));
    expect(lanes.fanout).toEqual(DEFAULTS.lanes["fanout-normal"]);
    expect(given["consume"]?.["QUEUE_URL_FANOUT"]).toEqual(given["consume"]?.["QUEUE_URL_FANOUT_NORMAL"]);
  });
});

test("where both releases name a variable, that of this release counts", () => {
  const own = { QUEUE_URL_FANOUT_HIGH: "high", QUEUE_URL_FANOUT_NORMAL: "normal", QUOTAS_TABLE: "quotas" };
  const all = withFormer({ ...own, QUEUE_URL_FANOUT: "former" });
  expect(all).toMatchObject({ ...own, QUEUE_URL_FANOUT_LOW: "former" });
});

test.each([
  { which: "defaults", given: DEFAULTS },
  {
    which: "settings that 0.1.0 did not have",
    given: settings({
      ...{ quotaName: "shared-by-two", failureReceiptsOnly: true, detailedLog: false },
      spreadTags: [{ tag: "everyone", hashBits: 5, hashBitsBefore: 0, since: "2026-01-01T12:00:00Z" }],
    }),
  },
  {
    which: "fanout lanes that differ",
    given: settings({
      lanes: { "fanout-high": { concurrency: 9 }, "fanout-low": { concurrency: 3, backlogLimitSeconds: 60 } },
    }),
  },
])("$which are read as they were written", ({ given }) => {
  expect(readSettings(settingsVariable(given))).toEqual(given);
});

test("settings of 0.1.0 are read with its one fanout lane as all three, and what it did not have as nobody set it", () => {
  const { lanes, ...others } = readSettings(JSON.stringify(V1.settings));
  const { fanout } = V1.settings["lanes"] as { fanout: object };
  for (const lane of FANOUT_LANES) expect(lanes[lane]).toEqual(fanout);
  // A list that nobody spread, and so on: nothing that a function reads is missing.
  for (const name of ["quotaName", "failureReceiptsOnly", "detailedLog", "spreadTags"] as const)
    expect(others[name]).toEqual(DEFAULTS[name]);
});

describe("code of this release with the variables of 0.1.0", () => {
  /** What its variables were, with the addresses that there are. */
  const former = ({ env, ...runtime }: Runtime, name: string): Runtime => {
    const fanout = env["QUEUE_URL_FANOUT_NORMAL"];
    const own = Object.keys(V1.variables[name] ?? {});
    const kept = Object.entries(env).filter(([key]) => own.includes(key) || key.startsWith("AWS_"));
    const settings = { ...V1.settings, recipientsPerRun: 10 };
    return {
      ...runtime,
      env: {
        ...Object.fromEntries(kept),
        ...(fanout ? { QUEUE_URL_FANOUT: fanout } : {}),
        SETTINGS: JSON.stringify(settings),
      },
    };
  };
  let router: Router;
  const sockets: TestSocket[] = [];
  beforeAll(async () => {
    router = await startTwin({
      settings: patient({ recipientsPerRun: 10 }),
      handlers: {
        ingest: (runtime) => ingestFunction(former(runtime, "ingest")),
        receipts: (runtime) => receiptsFunction(former(runtime, "receipts")),
        consume: (runtime) => consumeFunction(former(runtime, "consume")),
        socket: (runtime) => socketFunction(former(runtime, "socket")),
      },
    });
    for (let i = 0; i < 30; i++) sockets.push(await connect(router, `user-${i}`));
  }, 60_000);
  afterAll(() => router.stop(0));

  test("its variables are not those of this release", () => {
    expect(ENV.ingest.filter((name) => !(name in (V1.variables["ingest"] ?? {})))).toEqual([
      ...["QUEUE_URL_FANOUT_HIGH", "QUEUE_URL_FANOUT_NORMAL", "QUEUE_URL_FANOUT_LOW"],
      ...["QUOTAS_TABLE", "SETTINGS"],
    ]);
  });

  test("takes, splits and delivers a message, and says so", { timeout: 60_000 }, async () => {
    const { id, status } = await post(router, { target: { everyone: true }, data: 1, priority: "high" });
    expect(status).toBe(202);
    await router.spy.idle({ timeout: 60_000 });
    expect(await receipt(router, id)).toMatchObject({ state: "delivered", counts: { sent: 30 } });
    for (const socket of sockets) expect(socket.buffered()).toMatchObject([{ type: "message", id }]);
    expect(router.spy.runs().map(({ lane }) => lane)).toContain("fanout-normal");
    expect(await router.spy.deadLetters()).toEqual([]);
  });
});
