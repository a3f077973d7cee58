import { RetentionDays } from "aws-cdk-lib/aws-logs";
import { expect, test } from "vitest";
import { synth } from "./support.ts";

test("every log, that of the requests too, is kept as long as you say", () => {
  const { template } = synth({ logRetention: RetentionDays.ONE_WEEK });
  const logs = Object.values(template.findResources("AWS::Logs::LogGroup"));
  expect(logs.map(({ Properties }) => Properties.RetentionInDays)).toEqual([7, 7, 7, 7, 7]);
});
