import { ACCOUNT, CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import { type Queues, startQueues } from "../../local/twin/emulators/queue.ts";
import { settings } from "../../shared/settings/settings.ts";
import { startFront } from "../../testing/front.ts";
import { type GuardRefusal, guard } from "../../testing/guard.ts";
import { upstream } from "../../testing/upstream.ts";

export interface CheckedQueues extends Queues {
  readonly refusals: readonly GuardRefusal[];
}

/** The queues behind a front that checks signatures. */
export async function startCheckedQueues(): Promise<CheckedQueues> {
  const queues = await startQueues(settings());
  const behind = upstream(queues.endpoint);
  const refusals: GuardRefusal[] = [];
  const checks = guard({
    ...{ service: "sqs", place: { region: REGION, account: ACCOUNT }, now: Date.now },
    callers: () => [{ name: "test", ...CREDENTIALS }],
    onRefusal: (refusal) => refusals.push(refusal),
  });
  const front = await startFront([checks], behind.call);
  return {
    ...queues,
    endpoint: front.url,
    refusals,
    async stop() {
      await front.stop();
      behind.stop();
      await queues.stop();
    },
  };
}
