import { reservedConcurrency } from "../../shared/settings/derived.ts";
import { visitOf } from "./connection.ts";
import { framesEach, type Planning, type Stream } from "./stream.ts";

/** How long a limit alone would hold up the return of all connections. */
export interface ReturnLimit {
  readonly name: string;
  /** account: AWS gives it. setting: yours to change. */
  readonly kind: "account" | "setting";
  readonly seconds: number;
}

/**
 * How long it takes until all connections are back after all were cut at once, by each limit, the slowest first. All is
 * over no sooner than the slowest allows, and a cut deletes as much as the return writes. Producers go on meanwhile. The
 * pauses of clients that were refused come on top.
 */
export function returnLimits(
  { load, settings, quotas, stack, assumed }: Planning,
  streams: readonly Stream[],
): readonly ReturnLimit[] {
  const { connections } = load;
  const { frames, joins, leaves } = visitOf(load, framesEach(load));
  const visits = connections / load.sessionSeconds;
  const used = streams.reduce((n, { rate, work }) => n + rate * (work.frames + work.requests), 0);
  const runs = quotas.runs - (stack.reserves ? reservedConcurrency(settings) : 0);
  /** What a table takes at once: it has taken this peak before. */
  const tableWrites = (writes: number) =>
    Math.min(quotas.tableWrites, Math.max(quotas.warmWrites, 2 * visits * load.peak * writes));
  const account = (name: string, amount: number, perSecond: number): ReturnLimit => ({
    ...{ name, kind: "account" },
    seconds: within(connections * amount, perSecond),
  });
  const table = (name: keyof typeof joins): ReturnLimit => {
    const writes = joins[name] + leaves[name];
    return account(`DynamoDB writes/s to the table ${name}`, writes, tableWrites(writes));
  };
  const all: ReturnLimit[] = [
    account("new connections/s", 1, quotas.connects),
    account("API Gateway requests/s", 1 + frames, quotas.requests - used),
    account("Lambda runs at a time", ((2 + frames) * assumed.socket) / 1000, runs),
    account(
      "DynamoDB writes/s to a list that all join, such as that of everyone",
      2,
      quotas.partitionWrites * stack.listKeys,
    ),
    table("connections"),
    table("subscriptions"),
    {
      name: "frames and connects/s: throttle of the socket stage",
      kind: "setting",
      seconds: within(connections * (1 + frames), stack.socketRate),
    },
  ];
  return all.toSorted((a, b) => b.seconds - a.seconds);
}

/** Never, where nothing is left of a limit. */
const within = (amount: number, perSecond: number): number =>
  amount === 0 ? 0 : perSecond > 0 ? amount / perSecond : Number.POSITIVE_INFINITY;
