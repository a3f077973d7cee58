/** The door `tagwire/infra`: what an app of the CDK puts into its stack. */

export type { Metric as MetricName } from "../shared/metric.ts";
export type { Lane } from "../shared/protocol/lane.ts";
export type { Settings, SettingsOverrides } from "../shared/settings/schema.ts";
export type { TableName } from "../shared/settings/tables.ts";
export type { FunctionName } from "../shared/settings/variables.ts";
export type { AlarmThresholds } from "./alarm-list.ts";
export type { AlarmOptions } from "./alarms.ts";
export type { Issuer, SharedSecret } from "./auth.ts";
export type { DeploymentOptions } from "./deployment.ts";
export type { DomainOptions } from "./domain.ts";
export type { Emulator } from "./emulator.ts";
export type { HttpOptions } from "./http-api.ts";
export type { RouterMetricOptions, RouterMetrics, SocketApiMetric } from "./metrics.ts";
export type { TagwireProps } from "./props.ts";
export type { SocketOptions } from "./socket-api.ts";
export type { RouterTables } from "./tables.ts";
export { Tagwire } from "./tagwire.ts";
