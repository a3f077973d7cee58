import { Duration } from "aws-cdk-lib";
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import { LANES, type Lane } from "../shared/protocol/lane.ts";
import type { Consumer } from "./consumer.ts";
import type { IngestApi } from "./ingest-api.ts";
import type { Lanes } from "./lanes.ts";
import { countOf } from "./metric.ts";
import type { SocketApi } from "./socket-api.ts";

export interface AlarmOptions {
  /**
   * Whom an alarm tells, when it starts and when it is over.
   * @default none
   */
  readonly topic?: ITopic;
  /**
   * How old the oldest message of a lane may be, in seconds.
   * @default high 60, normal 300, fanout 300, low 3600
   */
  readonly oldestSeconds?: Partial<Record<Lane, number>>;
}

export interface AlarmsProps {
  /** What the router is called in metrics. */
  readonly router: string;
  readonly options: AlarmOptions;
  readonly lanes: Lanes;
  readonly consumer: Consumer;
  readonly ingest: IngestApi;
  readonly sockets: SocketApi;
}

const OLDEST_SECONDS: Readonly<Record<Lane, number>> = { high: 60, normal: 300, fanout: 300, low: 3_600 };

/** What a metric must do for an alarm. */
interface Rule {
  readonly above: number;
  /** Periods that are looked at. */
  readonly of: number;
  /** Periods among them that must be above. @default all */
  readonly periods?: number;
}

/** What someone should look at. Each is one metric, so that each says what to look for. */
export class Alarms extends Construct {
  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    const { options, router, lanes, consumer, ingest, sockets } = props;
    const every = { period: Duration.minutes(1) };
    const sum = { ...every, statistic: "Sum" };
    const most = { ...every, statistic: "Maximum" };
    const alarm = (name: string, metric: IMetric, { above, of, periods = of }: Rule, why: string) => {
      const made = new Alarm(this, name, {
        metric,
        threshold: above,
        comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluationPeriods: of,
        ...(periods === of ? {} : { datapointsToAlarm: periods }),
        // A quiet queue, function or gateway has no data.
        treatMissingData: TreatMissingData.NOT_BREACHING,
        alarmDescription: why,
      });
      if (!options.topic) return;
      made.addAlarmAction(new SnsAction(options.topic));
      made.addOkAction(new SnsAction(options.topic));
    };

    for (const lane of LANES) {
      const above = options.oldestSeconds?.[lane] ?? OLDEST_SECONDS[lane];
      const age = lanes.queues[lane].metricApproximateAgeOfOldestMessage(most);
      alarm(`Oldest-${lane}`, age, { above, of: 3 }, `Lane ${lane} holds a message older than ${above} s.`);
    }
    const threeMinutes = { above: 0, of: 3 };
    const dead = lanes.deadLetters.metricApproximateNumberOfMessagesVisible(most);
    alarm("DeadLetters", dead, { above: 0, of: 1 }, DEAD_LETTERS);
    alarm("ConsumeErrors", consumer.function.metricErrors(sum), threeMinutes, "Runs of the consumer crash.");
    const throttled = "Runs of the consumer are throttled: the account's concurrency is used up.";
    alarm("ConsumeThrottles", consumer.function.metricThrottles(sum), threeMinutes, throttled);
    alarm(
      "SocketErrors",
      sockets.function.metricErrors(sum),
      threeMinutes,
      "Connects or frames end in a crash.",
    );
    alarm("HttpServerErrors", ingest.api.metricServerError(sum), threeMinutes, "Producers get 5xx.");
    // A retry may be five minutes away, so a minute without one says nothing.
    const forbidden = countOf(router, "consume", "SendsForbidden", { period: Duration.minutes(5) });
    alarm("SendsForbidden", forbidden, { above: 0, of: 1 }, FORBIDDEN);
    const down = countOf(router, "consume", "GatewayDown", every);
    alarm("GatewayDown", down, { above: 0, of: 5, periods: 3 }, DOWN);
  }
}

const DEAD_LETTERS =
  "A message failed for good: its runs died, its connections stayed busy, or its body cannot be read. " +
  "Or SQS gave it up after its most receives, which is the last resort. " +
  "Look at its receipt, then redrive or purge.";
const FORBIDDEN =
  "API Gateway forbids sends (403 or 404): the consumer's role, a policy of the organization, or the stage's name is " +
  "wrong. Messages wait and are tried again.";
const DOWN = "API Gateway cannot be reached or fails. Messages wait for it until they expire.";
