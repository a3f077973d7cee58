import { Alarm, ComparisonOperator, Metric, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import { type AlarmListOptions, type AlarmThresholds, alarmList } from "./alarm-list.ts";
import type { Emulator } from "./emulator.ts";

export interface AlarmOptions extends AlarmThresholds {
  /**
   * Whom an alarm tells, when it starts and when it is over.
   * @default none
   */
  readonly topic?: ITopic;
}

export interface AlarmsProps extends AlarmOptions, AlarmListOptions {
  /** @default AWS */
  readonly emulator?: Emulator;
}

const RUNBOOK = "https://github.com/tagwire/tagwire/blob/main/docs/runbook.md";

/** The alarms of alarm-list.ts. Each says where its page is. */
export class Alarms extends Construct {
  constructor(scope: Construct, id: string, { topic, emulator, ...options }: AlarmsProps) {
    super(scope, id);
    for (const { id: name, page, text, metric, above, of, periods = of } of alarmList(options)) {
      // MiniStack takes no alarm on more than one metric.
      if (emulator && !(metric instanceof Metric)) continue;
      const alarm = new Alarm(this, name, {
        metric,
        threshold: above,
        comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluationPeriods: of,
        ...(periods === of ? {} : { datapointsToAlarm: periods }),
        // A quiet queue, function or gateway has no data.
        treatMissingData: TreatMissingData.NOT_BREACHING,
        alarmDescription: `${text} ${RUNBOOK}#${page.toLowerCase()}`,
      });
      if (!topic) continue;
      alarm.addAlarmAction(new SnsAction(topic));
      alarm.addOkAction(new SnsAction(topic));
    }
  }
}
