import { Duration, type RemovalPolicy } from "aws-cdk-lib";
import type { IGrantable } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { type IQueue, Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { LANES, type Lane } from "../shared/protocol/lane.ts";
import { MAX_RECEIVES } from "../shared/protocol/limits.ts";
import { visibilitySeconds } from "../shared/settings/derived.ts";
import type { Settings } from "../shared/settings/schema.ts";

export interface LanesProps {
  readonly settings: Settings;
  /** What the queues' names begin with. They end in the lane, by which the command line finds them. */
  readonly name: string;
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
  readonly variables: Readonly<Record<`QUEUE_URL_${Uppercase<Lane>}`, string>>;

  constructor(scope: Construct, id: string, { settings, name, removalPolicy, encryptionKey }: LanesProps) {
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
      queueName: `${name}-dead-letters`,
      retentionPeriod: Duration.days(deadLetterRetentionDays),
      removalPolicy,
    });
    this.deadLetters = deadLetters;
    this.queues = byLane(
      (lane) =>
        new Queue(this, lane, {
          ...protection,
          queueName: `${name}-${lane}`,
          visibilityTimeout: Duration.seconds(visibilitySeconds(settings)),
          retentionPeriod: Duration.days(retentionDays),
          deadLetterQueue: { queue: deadLetters, maxReceiveCount: MAX_RECEIVES },
        }),
    );
    this.variables = Object.fromEntries(
      LANES.map((lane) => [`QUEUE_URL_${lane.toUpperCase()}`, this.queues[lane].queueUrl]),
    ) as Lanes["variables"];
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
  grantBury(grantee: IGrantable): void {
    this.deadLetters.grant(grantee, "sqs:SendMessage");
  }
}

function byLane<T>(make: (lane: Lane) => T): Readonly<Record<Lane, T>> {
  return Object.fromEntries(LANES.map((lane) => [lane, make(lane)])) as Record<Lane, T>;
}
