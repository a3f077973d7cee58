import { Duration, type RemovalPolicy, Tags } from "aws-cdk-lib";
import type { IGrantable } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { type IQueue, Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { LANES, type Lane } from "../shared/protocol/lane.ts";
import { MAX_RECEIVES } from "../shared/protocol/limits.ts";
import { visibilitySeconds } from "../shared/settings/derived.ts";
import { FORMER_QUEUE_URL, LANE_TAG, QUEUE_URL, type QueueVariable } from "../shared/settings/queues.ts";
import type { Settings } from "../shared/settings/schema.ts";
import { laneId } from "./name.ts";

export interface LanesProps {
  readonly settings: Settings;
  /** What becomes of the dead letters when the stack goes. */
  readonly removalPolicy: RemovalPolicy;
  /** @default keys that SQS manages */
  readonly encryptionKey?: IKey;
}

/** A queue per lane, and the dead-letter queue behind them. */
export class Lanes extends Construct {
  readonly queues: Readonly<Record<Lane, IQueue>>;
  readonly deadLetters: IQueue;
  /** The variables by which a function finds the lanes. */
  readonly variables: Readonly<Record<QueueVariable | typeof FORMER_QUEUE_URL, string>>;

  constructor(scope: Construct, id: string, { settings, removalPolicy, encryptionKey }: LanesProps) {
    super(scope, id);
    const { retentionDays, deadLetterRetentionDays } = settings;
    const protection = {
      enforceSSL: true,
      ...(encryptionKey
        ? { encryption: QueueEncryption.KMS, encryptionMasterKey: encryptionKey }
        : { encryption: QueueEncryption.SQS_MANAGED }),
    };
    const deadLetters = new Queue(this, "DeadLetters", {
      ...protection,
      retentionPeriod: Duration.days(deadLetterRetentionDays),
      removalPolicy,
    });
    this.deadLetters = deadLetters;
    this.queues = byLane((lane) => {
      const queue = new Queue(this, laneId(lane), {
        ...protection,
        visibilityTimeout: Duration.seconds(visibilitySeconds(settings)),
        retentionPeriod: Duration.days(retentionDays),
        deadLetterQueue: { queue: deadLetters, maxReceiveCount: MAX_RECEIVES },
      });
      // A queue's name says nothing, so the command line finds the lanes of a dead-letter queue by this.
      Tags.of(queue).add(LANE_TAG, lane);
      return queue;
    });
    this.variables = {
      ...(Object.fromEntries(LANES.map((lane) => [QUEUE_URL[lane], this.queues[lane].queueUrl])) as Record<
        QueueVariable,
        string
      >),
      // For code of the release before, which may run with these variables for the seconds of an update.
      [FORMER_QUEUE_URL]: this.queues["fanout-normal"].queueUrl,
    };
  }

  /** Lets a grantee put messages into these lanes. */
  grantSend(grantee: IGrantable, ...lanes: readonly Lane[]): void {
    for (const lane of lanes) this.queues[lane].grant(grantee, "sqs:SendMessage");
  }

  /** Lets a grantee see how full the lanes are. */
  grantLook(grantee: IGrantable): void {
    for (const lane of LANES) this.queues[lane].grant(grantee, "sqs:GetQueueAttributes");
  }

  /** Lets a grantee put what can never be delivered into the dead-letter queue. */
  grantDeadLetter(grantee: IGrantable): void {
    this.deadLetters.grant(grantee, "sqs:SendMessage");
  }
}

function byLane<T>(make: (lane: Lane) => T): Readonly<Record<Lane, T>> {
  return Object.fromEntries(LANES.map((lane) => [lane, make(lane)])) as Record<Lane, T>;
}
