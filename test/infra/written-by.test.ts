import { Stack } from "aws-cdk-lib";
import { expect, test } from "vitest";
import { Tagwire } from "../../infra/index.ts";
import type { Metric } from "../../shared/metric.ts";
import type { FunctionName } from "../../shared/settings/variables.ts";
import { unbundled } from "./support.ts";

/** The function that counts each. A metric under the name of another function is always zero. */
const COUNTED_BY: Readonly<Record<Exclude<Metric, "Faults">, FunctionName>> = {
  MessagesAccepted: "ingest",
  MessagesRefused: "ingest",
  Claims: "consume",
  Duplicates: "consume",
  Endings: "consume",
  Retries: "consume",
  DeadLetters: "consume",
  Deaths: "consume",
  FramesSent: "consume",
  MeteredUnits: "consume",
  ConnectionsGone: "consume",
  SendsBusy: "consume",
  SendsRefused: "consume",
  SendsForbidden: "consume",
  GatewayDown: "consume",
  MessagesShed: "ingest",
  LaneWait: "consume",
  TimeToFirstSend: "consume",
  TimeToLastSend: "consume",
  QuotaExhausted: "consume",
  QuotaInUse: "consume",
  ConnectsFailed: "socket",
  ConnectsRefused: "socket",
  ConnectionsOpened: "socket",
  ConnectionsClosed: "socket",
  Subscribed: "socket",
  Unsubscribed: "socket",
  FramesRefused: "socket",
};
const router = new Tagwire(new Stack(unbundled(), "Shop"), "Orders");

test.each(
  Object.entries(COUNTED_BY) as [Metric, FunctionName][],
)("%s is looked for where %s counts it", (name, by) => {
  expect(router.metric(name).dimensions).toMatchObject({ service: by });
});
