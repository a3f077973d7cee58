import { Match } from "aws-cdk-lib/assertions";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { expect, test } from "vitest";
import { LANES } from "../../shared/protocol/lane.ts";
import { DEFAULTS } from "../../shared/settings/settings.ts";
import { statementsIn, synth } from "./support.ts";

const { template, router, idOf, propertiesOf } = synth();

test.each(
  LANES,
)("lane %s gives a message to the dead-letter queue by itself only as the last resort, after all the receives that SQS allows", (lane) => {
  const deadLetterTargetArn = { "Fn::GetAtt": [idOf(router.deadLetterQueue), "Arn"] };
  expect(propertiesOf(router.lanes[lane])).toMatchObject({
    RedrivePolicy: { deadLetterTargetArn, maxReceiveCount: 1_000 },
  });
});

test.each([
  { why: "by default", settings: {} },
  {
    why: "where runs may take longer",
    settings: { advanced: { functions: { consume: { timeoutSeconds: 300 } } } },
  },
])("a message stays hidden for six times what a run may take $why", ({ settings }) => {
  const changed = synth({ settings });
  const { Timeout } = changed.propertiesOf(changed.router.functions.consume);
  for (const lane of LANES) {
    const { VisibilityTimeout } = changed.propertiesOf(changed.router.lanes[lane]);
    expect(VisibilityTimeout).toBeGreaterThanOrEqual(6 * Number(Timeout));
  }
});

test("a queue says by a tag which lane it is, since the command line finds a lane by it", () => {
  for (const lane of LANES)
    expect(propertiesOf(router.lanes[lane])).toMatchObject({ Tags: [{ Key: "tagwire:lane", Value: lane }] });
  expect(propertiesOf(router.deadLetterQueue)).not.toHaveProperty("Tags");
});

test("dead letters are kept longer than messages, and receipts longer than dead letters", () => {
  const day = 86_400;
  const { retentionDays, deadLetterRetentionDays } = DEFAULTS;
  expect(propertiesOf(router.deadLetterQueue).MessageRetentionPeriod).toBe(deadLetterRetentionDays * day);
  expect(propertiesOf(router.lanes.low).MessageRetentionPeriod).toBe(retentionDays * day);
  expect(deadLetterRetentionDays).toBeGreaterThan(retentionDays);
  expect(DEFAULTS.receiptRetentionDays).toBeGreaterThan(deadLetterRetentionDays);
});

test("every queue is encrypted and refuses whoever comes without TLS", () => {
  const queues = [router.deadLetterQueue, ...Object.values(router.lanes)];
  for (const queue of queues) expect(propertiesOf(queue)).toMatchObject({ SqsManagedSseEnabled: true });
  const refusals = statementsIn(template, "AWS::SQS::QueuePolicy");
  expect(refusals.map(({ Resource }) => Resource)).toEqual(
    expect.arrayContaining(queues.map((queue) => ({ "Fn::GetAtt": [idOf(queue), "Arn"] }))),
  );
  for (const refusal of refusals) {
    expect(refusal).toMatchObject({
      Effect: "Deny",
      Action: "sqs:*",
      Principal: { AWS: "*" },
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    });
  }
});

test("dead letters outlive the stack; lanes go with it", () => {
  const policyOf = (queue: IQueue) => template.toJSON().Resources[idOf(queue)].DeletionPolicy;
  expect(policyOf(router.deadLetterQueue)).toBe("RetainExceptOnCreate");
  expect(policyOf(router.lanes.high)).toBe("Delete");
  template.resourcePropertiesCountIs("AWS::SQS::Queue", { RedrivePolicy: Match.anyValue() }, LANES.length);
});
