import { LANES } from "../shared/protocol/lane.ts";
import type { Gauges } from "./metrics.ts";
import type { Queues } from "./testing/queues.ts";
import type { Recorder } from "./testing/recorder.ts";

/** What only a router on one machine tells: in an account AWS has metrics of its own about it. */
export const GAUGES = {
  tagwire_connections_open: "Open connections.",
  tagwire_runs_under_way: "Runs of the consumer under way.",
  tagwire_sends_in_flight: "Sends under way.",
  tagwire_gateway_metered_units: "Frames sent, in the units of 32 KB that API Gateway would bill.",
  tagwire_lane_messages: "Messages and jobs in a lane: visible, inFlight with a run, or delayed.",
  tagwire_dead_letters: "Dead letters in their queue.",
} as const;
export type GaugeName = keyof typeof GAUGES;

export interface GaugesOf {
  readonly observer: Pick<Recorder, "now">;
  readonly connections: { readonly size: number };
  readonly queues: Pick<Queues, "sizes" | "deadLetterCount">;
}

/** Returns what the gauges are now. */
export async function gauges({ observer, connections, queues }: GaugesOf): Promise<Gauges[]> {
  const { runs, sends, units } = observer.now();
  const [sizes, deadLetters] = await Promise.all([queues.sizes(), queues.deadLetterCount()]);
  const gauge = (name: GaugeName, values: Gauges["values"]): Gauges => ({ name, help: GAUGES[name], values });
  const one = (name: GaugeName, value: number) => gauge(name, [{ value }]);
  return [
    one("tagwire_connections_open", connections.size),
    one("tagwire_runs_under_way", runs),
    one("tagwire_sends_in_flight", sends),
    one("tagwire_gateway_metered_units", units),
    one("tagwire_dead_letters", deadLetters),
    gauge(
      "tagwire_lane_messages",
      LANES.flatMap((lane) =>
        Object.entries(sizes[lane]).map(([state, value]) => ({ labels: { lane, state }, value })),
      ),
    ),
  ];
}
