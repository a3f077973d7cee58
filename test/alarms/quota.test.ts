import { expect, test } from "vitest";
import { emfTelemetry } from "../../shared/adapters/emf/telemetry.ts";
import { EPOCH } from "../../simulation/quota/events.ts";
import { jobs, NEWER } from "../../simulation/quota/scenarios.ts";
import { simulateQuota } from "../../simulation/quota/simulate.ts";
import { synth } from "../infra/support.ts";
import { alarmsIn, type Datum, dataIn } from "./evaluator.ts";

/** Seconds in which three whole minutes have passed for an alarm. */
const SECONDS = 200;
const alarmsOn = alarmsIn(synth().template);

/** The alarms that are on after eight containers have worked through the jobs of a large delivery, by their metric records. */
async function alarmsAfter(believedPerSecond: number) {
  const data: Datum[] = [];
  let now = () => EPOCH;
  const newTelemetry = emfTelemetry({
    ...{ service: "consume", router: "Test/Router", level: "warn" },
    write: (line) => void data.push(...dataIn(line, now())),
  });
  const scenario = { ...jobs(8, 10), quota: NEWER, believedPerSecond, seconds: SECONDS };
  const report = await simulateQuota(scenario, {
    telemetry(clock) {
      now = clock;
      return newTelemetry();
    },
  });
  return { refused: report.refused(), alarms: alarmsOn(data, EPOCH + SECONDS * 1_000) };
}

test("where the quota is believed four times too high, others keep their room and the alarm is on", async () => {
  const { refused, alarms } = await alarmsAfter(4 * NEWER.perSecond);
  expect(refused).toBeLessThan(0.03);
  expect(alarms).toEqual(["QuotaExhausted"]);
});

test("where it is what is believed, no alarm is on", async () => {
  expect(await alarmsAfter(NEWER.perSecond)).toEqual({ refused: 0, alarms: [] });
});
