import { Duration } from "aws-cdk-lib";
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import { LANES, type Lane } from "../shared/domain/lane.ts";
import type { Consumer } from "./consumer.ts";
import type { IngestApi } from "./ingest-api.ts";
import type { Lanes } from "./lanes.ts";
import type { SocketApi } from "./socket-api.ts";

export interface AlarmOptions {
  /**
   * Whom an alarm tells, when it starts and when it is over.
   * @default nobody
   */
  readonly topic?: ITopic;
  /**
   * How old the oldest message of a lane may be, in seconds.
   * @default high 60, normal 300, fanout 300, low 3600
   */
  readonly oldestSeconds?: Partial<Record<Lane, number>>;
}

export interface AlarmsProps {
  readonly options: AlarmOptions;
  readonly lanes: Lanes;
  readonly consumer: Consumer;
  readonly ingest: IngestApi;
  readonly sockets: SocketApi;
}

const OLDEST_SECONDS: Readonly<Record<Lane, number>> = { high: 60, normal: 300, fanout: 300, low: 3_600 };

/** What someone should look at. Each is one metric, so that each says what to look for. */
export class Alarms extends Construct {
  constructor(scope: Construct, id: string, { options, lanes, consumer, ingest, sockets }: AlarmsProps) {
    super(scope, id);
    const every = { period: Duration.minutes(1) };
    const sum = { ...every, statistic: "Sum" };
    const alarm = (name: string, metric: IMetric, threshold: number, minutes: number, why: string) => {
      const made = new Alarm(this, name, {
        metric,
        threshold,
        comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluationPeriods: minutes,
        treatMissingData: TreatMissingData.NOT_BREACHING,
        alarmDescription: why,
      });
      if (!options.topic) return;
      made.addAlarmAction(new SnsAction(options.topic));
      made.addOkAction(new SnsAction(options.topic));
    };

    for (const lane of LANES) {
      const oldest = options.oldestSeconds?.[lane] ?? OLDEST_SECONDS[lane];
      const age = lanes.queues[lane].metricApproximateAgeOfOldestMessage({ ...every, statistic: "Maximum" });
      alarm(`Oldest-${lane}`, age, oldest, 3, `Lane ${lane} holds a message older than ${oldest} s.`);
    }
    const dead = lanes.deadLetters.metricApproximateNumberOfMessagesVisible({
      ...every,
      statistic: "Maximum",
    });
    alarm(
      "DeadLetters",
      dead,
      0,
      1,
      "A message ran out of receives. Look at its receipt, then redrive or purge.",
    );
    alarm("ConsumeErrors", consumer.function.metricErrors(sum), 0, 3, "Runs of the consumer crash.");
    const throttled = "Runs of the consumer are throttled: the account's concurrency is used up.";
    alarm("ConsumeThrottles", consumer.function.metricThrottles(sum), 0, 3, throttled);
    alarm("SocketErrors", sockets.function.metricErrors(sum), 0, 3, "Connects or frames end in a crash.");
    alarm("HttpServerErrors", ingest.api.metricServerError(sum), 0, 3, "Producers get 5xx.");
  }
}
