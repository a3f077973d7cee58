import { Duration } from "aws-cdk-lib";
import type { IMetric } from "aws-cdk-lib/aws-cloudwatch";
import { LANES, type Lane } from "../shared/protocol/lane.ts";
import { pascalCase } from "../shared/settings/pascal-case.ts";
import type { Settings } from "../shared/settings/schema.ts";
import type { TableName } from "../shared/settings/tables.ts";
import { FUNCTIONS } from "../shared/settings/variables.ts";
import { costPerHour } from "./cost.ts";
import type { RouterMetrics } from "./metrics.ts";

/** One alarm. Each has a page of docs/runbook.md, which a test holds to this list. */
export interface AlarmDescription {
  /** The id of the construct: a stable part of the alarm's name. */
  readonly id: string;
  /** The heading of its page in docs/runbook.md. */
  readonly page: string;
  /** One sentence or two for who is woken. */
  readonly text: string;
  readonly metric: IMetric;
  /** It is on while the metric is above this. */
  readonly above: number;
  /** Periods that are looked at. */
  readonly of: number;
  /** Periods among them that must be above. @default all */
  readonly periods?: number;
}

export interface AlarmThresholds {
  /**
   * How old the oldest message of a lane may be.
   * @default high 1 minute, low and fanout-low 1 hour, the others 5 minutes
   */
  readonly laneAge?: Partial<Readonly<Record<Lane, Duration>>>;
  /**
   * Dollars that an hour may cost, by the requests that AWS counts and the prices of us-east-1: a lower bound, that has no
   * connection minutes and no data out.
   * @default 5
   */
  readonly costPerHourDollars?: number;
}

export interface AlarmListOptions extends AlarmThresholds {
  readonly router: RouterMetrics;
  readonly settings: Settings;
}

const MINUTE = { period: Duration.minutes(1) };
const SUM = { ...MINUTE, statistic: "Sum" };
/** A retry may be five minutes away, so a minute without one says nothing. */
const FIVE_MINUTES = { period: Duration.minutes(5) };
/** A fault of a moment wakes nobody; one that comes back does. */
const LASTING = { above: 0, of: 5, periods: 3 };
/** Days between the alarm and the end of the oldest dead letter. */
const DAYS_LEFT = 2;

/**
 * All alarms of a router, in the order of the runbook. To add one, add it here and write its page. Where there is nothing to
 * count there is no data, and no alarm.
 */
export function alarmList({
  router,
  settings,
  laneAge,
  costPerHourDollars = 5,
}: AlarmListOptions): readonly AlarmDescription[] {
  const { functions, httpApi, tables } = router;
  return [
    ...LANES.map((lane) => {
      const above = (laneAge?.[lane] ?? allowedAge(lane)).toSeconds();
      return {
        id: `Oldest${pascalCase(lane)}`,
        page: "Oldest",
        text: `Lane ${lane} holds a message older than ${above} s.`,
        metric: router.metricLaneAge(lane, MINUTE),
        ...{ above, of: 3 },
      };
    }),
    {
      id: "DeadLetters",
      page: "DeadLetters",
      text:
        "A message failed for good: its runs died, its connections stayed busy, or its body cannot be read. " +
        "Or SQS gave it up after its most receives, which is the last resort. " +
        "Look at its receipt, then redrive or purge.",
      metric: router.metricDeadLetters(MINUTE),
      ...{ above: 0, of: 1 },
    },
    {
      id: "OldestDeadLetter",
      page: "OldestDeadLetter",
      text: `SQS deletes the oldest dead letter within ${DAYS_LEFT} days. Redrive or purge it.`,
      metric: router.metricDeadLetterAge(MINUTE),
      above: oldestDeadLetter(settings),
      of: 1,
    },
    {
      id: "ConnectsFailed",
      page: "ConnectsFailed",
      text: "More than 1 % of connects are refused by a fault of the router or of AWS.",
      metric: router.metricConnectsFailedPercent(MINUTE),
      ...{ ...LASTING, above: 1 },
    },
    {
      id: "SocketExecutionErrors",
      page: "SocketExecutionErrors",
      text: "API Gateway cannot run the socket function: connects and frames fail.",
      metric: router.metricSocketApi("ExecutionError", MINUTE),
      ...LASTING,
    },
    {
      id: "HttpServerErrors",
      page: "HttpServerErrors",
      text: "Producers get 5xx.",
      metric: httpApi.metricServerError(SUM),
      ...LASTING,
    },
    {
      id: "MessagesShed",
      page: "MessagesShed",
      text: "Producers' messages are refused: a lane is full, or SQS does not store them.",
      metric: router.metric("MessagesShed", MINUTE),
      ...LASTING,
    },
    {
      id: "SendsRefused",
      page: "SendsRefused",
      text: "API Gateway refuses frames for good (400 or 413): their recipients never get them.",
      metric: router.metric("SendsRefused", FIVE_MINUTES),
      ...{ above: 0, of: 1 },
    },
    {
      id: "SendsForbidden",
      page: "SendsForbidden",
      text:
        "API Gateway forbids sends (403 or 404): the consumer's role, a policy of the organization, or the stage's name is " +
        "wrong. Messages wait and are tried again.",
      metric: router.metric("SendsForbidden", FIVE_MINUTES),
      ...{ above: 0, of: 1 },
    },
    {
      id: "GatewayDown",
      page: "GatewayDown",
      text: "API Gateway cannot be reached or fails. Messages wait for it until they expire.",
      metric: router.metric("GatewayDown", MINUTE),
      ...LASTING,
    },
    {
      id: "QuotaExhausted",
      page: "QuotaExhausted",
      text: "API Gateway refuses sends since the account's quota of requests is used up. Connects and POSTs suffer too.",
      metric: router.metric("QuotaExhausted", MINUTE),
      ...LASTING,
    },
    ...FUNCTIONS.map((name) => ({
      id: `${pascalCase(name)}Errors`,
      page: "Errors",
      text: `Runs of the function ${name} crash or time out.`,
      metric: functions[name].metricErrors(SUM),
      ...LASTING,
    })),
    ...FUNCTIONS.map((name) => ({
      id: `${pascalCase(name)}Throttles`,
      page: "Throttles",
      text: `Runs of the function ${name} are throttled: the concurrency of the account or of the function is used up.`,
      metric: functions[name].metricThrottles(SUM),
      ...LASTING,
    })),
    ...(Object.keys(tables) as TableName[]).map((name) => ({
      id: `${pascalCase(name)}TableThrottles`,
      page: "TableThrottles",
      text: `DynamoDB throttles the table ${name}.`,
      metric: router.metricTableThrottles(name, MINUTE),
      ...LASTING,
    })),
    {
      id: "CostPerHour",
      page: "CostPerHour",
      text: `The router costs more than ${costPerHourDollars} dollars an hour, connection minutes and data out not counted.`,
      metric: costPerHour(router, settings),
      ...{ above: costPerHourDollars, of: 1 },
    },
  ];
}

function allowedAge(lane: Lane): Duration {
  if (lane === "high") return Duration.minutes(1);
  return lane.endsWith("low") ? Duration.hours(1) : Duration.minutes(5);
}

/** Seconds. With a short retention half of it. */
const oldestDeadLetter = ({ deadLetterRetentionDays: days }: Settings): number =>
  Duration.days(1).toSeconds() * Math.max(days - DAYS_LEFT, days / 2);
