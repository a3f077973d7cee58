import { messageOf } from "../../shared/protocol/errors.ts";
import { type Audience, gather } from "./audience.ts";
import { keepInFlight, keepRate } from "./load.ts";
import { percentile } from "./percentile.ts";
import { startServer } from "./server.ts";
import type { Variant } from "./variants.ts";

/** A rate below anybody's saturation. */
export interface Rate {
  readonly name: string;
  readonly label: string;
  readonly sockets: number;
  readonly perSecond: number;
  readonly warmUp: number;
  readonly messages: number;
}

export const RATES: readonly Rate[] = [
  { name: "1x1", label: "500/s 1 → 1", sockets: 1, perSecond: 500, warmUp: 15_000, messages: 4_000 },
  { name: "1x100", label: "50/s 1 → 100", sockets: 100, perSecond: 50, warmUp: 2_000, messages: 400 },
];

export interface LatencyResult {
  readonly variant: string;
  readonly rate: string;
  /** Milliseconds from POST to frame, over all frames; NaN after a fault. */
  readonly p50: number;
  readonly p99: number;
  readonly messages: number;
  /** Frames that came again. */
  readonly repeats: number;
  readonly fault?: string;
}

/** POSTs under way at once, and messages under way while warming up. */
const CONNECTIONS = 50;
const WARM_IN_FLIGHT = 20;
/** Milliseconds of warming up after which no more messages begin. */
const WARM_AT_MOST = 20_000;

/** Time from POST to frame at fixed rates, with one fresh server. */
export async function latency(
  variant: Variant,
  { scale, data }: { readonly scale: number; readonly data: string },
): Promise<LatencyResult[]> {
  const results: LatencyResult[] = [];
  const server = await startServer(variant, data);
  for (const rate of RATES) {
    const { sockets, perSecond } = rate;
    let audience: Audience | undefined;
    const nothing = { variant: variant.name, rate: rate.name };
    try {
      const options = { dialect: variant.dialect, address: server.address, topic: `rate-${sockets}` };
      audience = await gather({ ...options, sockets, inFlight: CONNECTIONS });
      const { deliver, tally } = audience;
      const warmUp = Math.ceil(rate.warmUp * scale);
      await keepInFlight(deliver, { messages: warmUp, atMost: WARM_AT_MOST, inFlight: WARM_IN_FLIGHT });
      tally.clear();
      globalThis.gc?.();
      const messages = Math.ceil(rate.messages * scale);
      const sent = await keepRate(deliver, { messages, atMost: 3_000 * (messages / perSecond), perSecond });
      const [p50, p99] = [percentile(tally.times, 50), percentile(tally.times, 99)];
      results.push({ ...nothing, p50, p99, messages: sent, repeats: tally.repeats });
    } catch (fault) {
      const message = messageOf(fault);
      results.push({ ...nothing, p50: Number.NaN, p99: Number.NaN, messages: 0, repeats: 0, fault: message });
    } finally {
      await audience?.close();
    }
  }
  await server.stop();
  return results;
}
