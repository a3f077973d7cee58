/**
 * The name of a metric in Prometheus: base units, and `_total` after a counter, as its naming practices have it.
 * `FramesSent` is `tagwire_frames_sent_total`, and `LaneWait` in milliseconds `tagwire_lane_wait_seconds`.
 */
export const prometheusName = (name: string, unit: string): string =>
  `tagwire_${snake(name)}_${SUFFIX[unit] ?? "total"}`;

const SUFFIX: Readonly<Record<string, string>> = { Milliseconds: "seconds", Percent: "ratio" };

const snake = (name: string) =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll(/[^A-Za-z0-9]+/g, "_")
    .toLowerCase();
