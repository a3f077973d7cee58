import { expect, test } from "vitest";
import type { Lane } from "../../../shared/protocol/lane.ts";
import { bodyOf } from "../../../shared/receipts/job-body.ts";
import { startFront } from "../../../testing/front.ts";
import { inputOf, json } from "../../../testing/json.ts";
import { type CallRequest, operationOf } from "../../../testing/service.ts";
import { tagwire } from "../../support/command.ts";
import { aJob } from "../../support/message.ts";

const DEAD_LETTERS = "https://sqs.eu-west-1.amazonaws.com/1/Shop-RouterLanesDeadLettersB0BC2E78-ALvDz1hK0cjT";

/** Queues that give their dead letters to that queue, with the lane that they are tagged as. */
type Sources = Readonly<Record<string, Lane | undefined>>;

const urlOf = (name: string) => `https://sqs.eu-west-1.amazonaws.com/1/${name}`;

/** SQS with one dead letter, of a message of priority low. Returns what `redrive` said and the calls that it made. */
async function redrive(sources: Sources, argv: readonly string[] = []) {
  const calls: { operation: string; url: string }[] = [];
  const [dead] = [
    { MessageId: "1", ReceiptHandle: "h", Body: bodyOf(aJob({ priority: "low" })), Attributes: {} },
  ];
  let there = [dead];
  const answer = (request: CallRequest): object => {
    const operation = operationOf(request);
    const { QueueUrl, NextToken, Entries = [] } = inputOf<Input>(request);
    calls.push({ operation, url: QueueUrl });
    const Successful = Entries.map(({ Id }) => ({ Id }));
    switch (operation) {
      case "GetQueueAttributes":
        return { Attributes: { ApproximateNumberOfMessages: "1" } };
      case "ReceiveMessage": {
        const Messages = there;
        there = [];
        return { Messages };
      }
      // A page for each queue.
      case "ListDeadLetterSourceQueues": {
        const page = Number(NextToken ?? 0);
        const urls = Object.keys(sources).map(urlOf);
        const more = page + 1 < urls.length ? { NextToken: String(page + 1) } : {};
        return { queueUrls: urls.slice(page, page + 1), ...more };
      }
      case "ListQueueTags": {
        const lane = sources[QueueUrl.split("/").at(-1) ?? ""];
        return lane ? { Tags: { team: "shop", "tagwire:lane": lane } } : {};
      }
      default:
        return { Successful, Failed: [] };
    }
  };
  const front = await startFront([], async (request) => json(answer(request)));
  const env = {
    TAGWIRE_DEAD_LETTER_QUEUE_URL: DEAD_LETTERS,
    AWS_ENDPOINT_URL_SQS: front.url,
    AWS_ACCESS_KEY_ID: "a",
    AWS_SECRET_ACCESS_KEY: "b",
  };
  const finished = await tagwire(["dead-letters", "redrive", ...argv], { env });
  await front.stop();
  const of = (name: string) => calls.filter(({ operation }) => operation === name).map(({ url }) => url);
  return { ...finished, of };
}

interface Input {
  readonly QueueUrl: string;
  readonly NextToken?: string;
  readonly Entries?: readonly { readonly Id: string }[];
}

/** The names are CloudFormation's. */
const ROUTER: Sources = {
  "Shop-RouterLanesHigh405DDB86-9uHwRqF3mdXg": "high",
  "Shop-Audit-c2UrYB1t": undefined,
  "Shop-RouterLanesNormal1A46178A-nM1ddSuWbjE4": "normal",
  "Shop-RouterLanesLowB3EC58EC-wZb3QyXvN2aP": "low",
  "Shop-RouterLanesFanoutHigh5C1E7D20-p0WqZ3rYb8Lm": "fanout-high",
  "Shop-RouterLanesFanoutA619619D-T0hgV6sKk1Lr": "fanout-normal",
  "Shop-RouterLanesFanoutLow9D21E4F7-k4VnX1tRc6Qs": "fanout-low",
};

test("a redrive finds the lane of a dead letter by the tag of its queue, whatever the queue's name is", async () => {
  const { code, out, of } = await redrive(ROUTER);
  expect({ code, out }).toEqual({ code: 0, out: "redrove 1 (low 1)\n" });
  expect(of("SendMessageBatch")).toEqual([urlOf("Shop-RouterLanesLowB3EC58EC-wZb3QyXvN2aP")]);
  expect(of("DeleteMessageBatch")).toEqual([DEAD_LETTERS]);
});

test("what sends nothing does not ask which queues there are", async () => {
  const { out, of } = await redrive(ROUTER, ["--dry-run"]);
  expect(out).toBe("would redrive 1 (low 1)\n");
  expect([...of("ListDeadLetterSourceQueues"), ...of("ListQueueTags")]).toEqual([]);
});

test("a queue that is no router's is named, and the dead letter stays and is released", async () => {
  const { code, err, of } = await redrive({ "Shop-Audit-c2UrYB1t": undefined });
  expect(code).toBe(1);
  expect(err).toContain(`no queue with the tag tagwire:lane=low gives its dead letters to ${DEAD_LETTERS}`);
  expect(of("DeleteMessageBatch")).toEqual([]);
  expect(of("ChangeMessageVisibilityBatch")).toEqual([DEAD_LETTERS]);
});
