import { describe, expect, test } from "vitest";
import { LANES } from "../../shared/protocol/lane.ts";
import type { SettingsOverrides } from "../../shared/settings/schema.ts";
import { DEFAULTS, settings } from "../../shared/settings/settings.ts";
import { synth } from "./support.ts";

const CASES: readonly { why: string; changes: SettingsOverrides; reserved: number }[] = [
  { why: "by default", changes: {}, reserved: 28 },
  {
    why: "with changed lanes",
    changes: { lanes: { high: { concurrency: 30 } }, advanced: { batchSize: { high: 3 } } },
    reserved: 50,
  },
];

describe.each(CASES)("$why", ({ changes, reserved }) => {
  const { template, router, idOf, propertiesOf } = synth({ settings: changes });
  const sources = Object.values(template.findResources("AWS::Lambda::EventSourceMapping")).map(
    ({ Properties }) => Properties,
  );

  test.each(LANES)("lane %s is braked on its own and answers for each message", (lane) => {
    const { lanes, advanced } = settings(changes);
    const { concurrency } = lanes[lane];
    const batchSize = advanced.batchSize[lane];
    const arn = { "Fn::GetAtt": [idOf(router.lanes[lane]), "Arn"] };
    expect(
      sources.find(({ EventSourceArn }) => EventSourceArn["Fn::GetAtt"][0] === arn["Fn::GetAtt"][0]),
    ).toEqual({
      EventSourceArn: arn,
      FunctionName: { Ref: idOf(router.functions.consume) },
      BatchSize: batchSize,
      ScalingConfig: { MaximumConcurrency: concurrency },
      FunctionResponseTypes: ["ReportBatchItemFailures"],
    });
  });

  test("the function's reserve is the sum over its lanes, so that no lane is ever throttled", () => {
    const sum = sources.reduce((total, { ScalingConfig }) => total + ScalingConfig.MaximumConcurrency, 0);
    expect(sum).toBe(reserved);
    expect(propertiesOf(router.functions.consume).ReservedConcurrentExecutions).toBe(reserved);
  });
});

test("without a reserve the lanes are still braked", () => {
  const { template, router, propertiesOf } = synth({ reserveConcurrency: false });
  expect(propertiesOf(router.functions.consume)).not.toHaveProperty("ReservedConcurrentExecutions");
  template.resourcePropertiesCountIs(
    "AWS::Lambda::EventSourceMapping",
    { ScalingConfig: { MaximumConcurrency: DEFAULTS.lanes.high.concurrency } },
    1,
  );
});

test("jobs and redeliveries may go round through the lanes as often as it takes", () => {
  const { template, router, propertiesOf } = synth();
  expect(propertiesOf(router.functions.consume).RecursiveLoop).toBe("Allow");
  template.resourcePropertiesCountIs("AWS::Lambda::Function", { RecursiveLoop: "Allow" }, 1);
});

test("settings that break a rule are refused before anything is deployed", () => {
  expect(() => synth({ settings: { lanes: { low: { concurrency: 1 } } } })).toThrow(
    "settings.lanes.low.concurrency must be a whole number of 2-1000, got 1",
  );
});
