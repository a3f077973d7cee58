import { Duration } from "aws-cdk-lib";
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import { LANES, type Lane } from "../shared/protocol/lane.ts";
import type { RouterMetrics } from "./metrics.ts";
import { pascalCase } from "./name.ts";

export interface AlarmOptions {
  /**
   * Whom an alarm tells, when it starts and when it is over.
   * @default none
   */
  readonly topic?: ITopic;
  /**
   * How old the oldest message of a lane may be.
   * @default high 1 minute, normal 5 minutes, low 1 hour; the lane of jobs of a priority like that of its messages
   */
  readonly laneAge?: Partial<Readonly<Record<Lane, Duration>>>;
}

export interface AlarmsProps extends AlarmOptions {
  readonly router: RouterMetrics;
}

const LANE_AGE: Readonly<Record<Lane, Duration>> = {
  high: Duration.minutes(1),
  normal: Duration.minutes(5),
  low: Duration.hours(1),
  "fanout-high": Duration.minutes(1),
  "fanout-normal": Duration.minutes(5),
  "fanout-low": Duration.hours(1),
};

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
  constructor(scope: Construct, id: string, { router, topic, laneAge }: AlarmsProps) {
    super(scope, id);
    const { functions, httpApi } = router;
    const every = { period: Duration.minutes(1) };
    const sum = { ...every, statistic: "Sum" };
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
      if (!topic) return;
      made.addAlarmAction(new SnsAction(topic));
      made.addOkAction(new SnsAction(topic));
    };

    for (const lane of LANES) {
      const above = (laneAge?.[lane] ?? LANE_AGE[lane]).toSeconds();
      const why = `Lane ${lane} holds a message older than ${above} s.`;
      alarm(`Oldest${pascalCase(lane)}`, router.metricLaneAge(lane, every), { above, of: 3 }, why);
    }
    const threeMinutes = { above: 0, of: 3 };
    const { consume, socket } = functions;
    alarm("DeadLetters", router.metricDeadLetters(every), { above: 0, of: 1 }, DEAD_LETTERS);
    alarm("ConsumeErrors", consume.metricErrors(sum), threeMinutes, "Runs of the consumer crash.");
    alarm("ConsumeThrottles", consume.metricThrottles(sum), threeMinutes, THROTTLED);
    alarm("SocketErrors", socket.metricErrors(sum), threeMinutes, "Connects or frames end in a crash.");
    alarm("HttpServerErrors", httpApi.metricServerError(sum), threeMinutes, "Producers get 5xx.");
    // A retry may be five minutes away, so a minute without one says nothing.
    const forbidden = router.metricSendsForbidden({ period: Duration.minutes(5) });
    alarm("SendsForbidden", forbidden, { above: 0, of: 1 }, FORBIDDEN);
    alarm("QuotaExceeded", router.metricQuotaExceeded(every), { above: 0, of: 5, periods: 2 }, QUOTA);
    alarm("GatewayDown", router.metricGatewayDown(every), { above: 0, of: 5, periods: 3 }, DOWN);
  }
}

const DEAD_LETTERS =
  "A message failed for good: its runs died, its connections stayed busy, or its body cannot be read. " +
  "Or SQS gave it up after its most receives, which is the last resort. " +
  "Look at its receipt, then redrive or purge.";
const THROTTLED = "Runs of the consumer are throttled: the account's concurrency is used up.";
const FORBIDDEN =
  "API Gateway forbids sends (403 or 404): the consumer's role, a policy of the organization, or the stage's name is " +
  "wrong. Messages wait and are tried again.";
const QUOTA =
  "API Gateway throttles sends: the account gives fewer requests than the router believes, or others use more than their " +
  "part. Compare quotaRequestsPerSecond with quota L-8A5B8E43, and look at who else calls API Gateway.";
const DOWN = "API Gateway cannot be reached or fails. Messages wait for it until they expire.";
