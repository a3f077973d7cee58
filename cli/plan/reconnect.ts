import { EVERYONE } from "../../shared/protocol/tag.ts";
import type { Settings } from "../../shared/settings/schema.ts";
import { visitOf } from "./connection.ts";
import type { Planning } from "./stream.ts";

/** How long one limit keeps all clients from being back after all were cut at once. */
export interface Bound {
  readonly name: string;
  readonly seconds: number;
}

/** On how many partition keys the list of all connections lies. */
export const everyoneKeys = ({ spreadTags }: Pick<Settings, "spreadTags">): number =>
  2 ** (spreadTags.find(({ tag }) => tag === EVERYONE)?.hashBits ?? 0);

/** Writes per second that a table takes: of an on-demand one twice its peak, and what it is warm for (DynamoDB). */
export const tableWrites = (
  { tableWrites: most, warmWrites }: Planning["quotas"],
  peakWrites: number,
): number => Math.min(most, Math.max(warmWrites, 2 * peakWrites));

/** What binds all clients that connect and subscribe again while the rows of their old connections go, the slowest first. */
export function boundsOnReturn({ load, settings, quotas, assumed }: Planning): readonly Bound[] {
  const { connections, topics } = load;
  const visit = visitOf(load);
  const visits = (connections / load.sessionSeconds) * load.peak;
  const lists = 2 * (2 + topics);
  const rows = visit.writeUnits - lists;
  const bound = (name: string, each: number, perSecond: number): Bound => ({
    name,
    seconds: (connections * each) / perSecond,
  });
  return [
    bound("new connections/s", 1, quotas.connects),
    bound("API Gateway requests/s", visit.requests, quotas.requests),
    bound("throttle of the socket stage", visit.requests, quotas.socketStage),
    bound("Lambda runs at a time", (visit.runs * assumed.socket) / 1_000, quotas.runs),
    bound("writes/s to the list of everyone", 2, quotas.partitionWrites * everyoneKeys(settings)),
    bound("writes/s of the table subscriptions", lists, tableWrites(quotas, visits * lists)),
    bound("writes/s of the table connections", rows, tableWrites(quotas, visits * rows)),
  ].toSorted((a, b) => b.seconds - a.seconds);
}
