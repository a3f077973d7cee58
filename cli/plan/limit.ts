import { LANES } from "../../shared/protocol/lane.ts";
import { visitOf } from "./connection.ts";
import { framesEach, type LanePlan, type Planning, type Stream, timeIn } from "./stream.ts";

/** Something of which there is only so much, in the busiest second. */
export interface Limit {
  readonly name: string;
  /** account: AWS gives it. setting: yours to change. */
  readonly kind: "account" | "setting";
  readonly used: number;
  readonly limit: number;
  /** used / limit. */
  readonly share: number;
}

interface Planned extends Planning {
  readonly streams: readonly Stream[];
  readonly lanes: Readonly<Record<(typeof LANES)[number], LanePlan>>;
}

/** All limits of a load, the tightest first. */
export function limits({ load, settings, quotas, stack, assumed, streams, lanes }: Planned): Limit[] {
  const { peak } = load;
  const sum = (pick: (stream: Stream) => number) => streams.reduce((n, s) => n + s.rate * pick(s), 0) * peak;
  const visits = (load.connections / load.sessionSeconds) * peak;
  const { moves, pings, joins, leaves } = visitOf(load, framesEach(load));
  const fromClients = visits * (moves.requests + pings.requests);
  const requests = sum(({ work }) => work.requests);
  const sends = sum(({ work }) => work.frames);
  // Half-empty runs are more of them, but never more than the lane allows.
  const underWay = (lane: (typeof LANES)[number]) =>
    Math.min(
      lanes[lane].allowed,
      sum(({ priority, work }) => timeIn(lane, priority, work.time) / 1000),
    );
  const runs =
    LANES.reduce((n, lane) => n + underWay(lane), 0) +
    (requests * assumed.ingest + visits * (moves.runs + pings.runs) * assumed.socket) / 1000;
  const inLane = (lane: (typeof LANES)[number]) => lanes[lane].needed * settings.advanced.batchSize[lane];

  const account = (name: string, used: number, limit: number) => ({
    name,
    kind: "account" as const,
    used,
    limit,
  });
  const setting = (name: string, used: number, limit: number) => ({
    name,
    kind: "setting" as const,
    used,
    limit,
  });
  const all = [
    account("API Gateway requests/s", sends + requests + fromClients, quotas.requests),
    account("new connections/s", visits, quotas.connects),
    account("Lambda runs at a time", runs, quotas.runs),
    account("SQS messages in flight, fullest lane", Math.max(...LANES.map(inLane)), quotas.inFlight),
    // Every connection is written into this one list and deleted from it.
    account("DynamoDB writes/s to the list of everyone", 2 * visits, quotas.partitionWrites * stack.listKeys),
    account(
      "DynamoDB writes/s to the table subscriptions",
      visits * (joins.subscriptions + leaves.subscriptions),
      quotas.tableWrites,
    ),
    account(
      "DynamoDB writes/s to the table receipts",
      sum(({ work }) => work.writeUnits),
      quotas.tableWrites,
    ),
    // As if all messages of a kind were for one tag.
    account(
      "DynamoDB reads/s of one tag's list",
      Math.max(0, ...streams.map(({ rate, work }) => rate * work.readUnits)) * peak,
      quotas.partitionReads,
    ),
    setting("sends/s: quotaFraction", sends, settings.quotaRequestsPerSecond * settings.quotaFraction),
    setting("POSTs/s: throttle of the HTTP stage", requests, stack.httpRate),
    setting("frames and connects/s: throttle of the socket stage", fromClients, stack.socketRate),
    ...LANES.map((lane) =>
      setting(`runs at a time: lanes.${lane}.concurrency`, lanes[lane].needed, lanes[lane].allowed),
    ),
  ];
  return all
    .map((each) => ({ ...each, share: each.used / each.limit }))
    .toSorted((a, b) => b.share - a.share);
}
