import { Metric, type MetricOptions } from "aws-cdk-lib/aws-cloudwatch";
import type { Metric as MetricName } from "../shared/ports.ts";
import type { FunctionName } from "../shared/settings/variables.ts";

/** The sum of a count that a router's function writes to its log, in the embedded metric format. */
export const countOf = (
  router: string,
  service: FunctionName,
  metricName: MetricName,
  options: Pick<MetricOptions, "period"> = {},
): Metric =>
  new Metric({
    namespace: "Tagwire",
    metricName,
    dimensionsMap: { router, service },
    statistic: "Sum",
    ...options,
  });
