import { expect, test } from "vitest";
import { synth } from "./support.ts";

test("there is a dashboard unless you say that there is none", () => {
  expect(() => synth().template.resourceCountIs("AWS::CloudWatch::Dashboard", 1)).not.toThrow();
  expect(() =>
    synth({ dashboard: false }).template.resourceCountIs("AWS::CloudWatch::Dashboard", 0),
  ).not.toThrow();
});
