import { messageOf } from "../../shared/protocol/errors.ts";
import { type Audience, gather } from "./audience.ts";
import { keepInFlight } from "./load.ts";
import { type Load, nameOf } from "./options.ts";
import { percentile } from "./percentile.ts";
import { type RunningServer, startServer } from "./server.ts";
import type { Variant } from "./variants.ts";

/** What one server did under one load. */
export interface ThroughputResult {
  readonly variant: string;
  readonly load: string;
  readonly round: number;
  /** Of the measured messages; NaN after a fault. */
  readonly framesPerCpuSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly messages: number;
  /** Messages before them. */
  readonly warmUp: number;
  /** The time was up before all messages of the load. */
  readonly isCutShort: boolean;
  readonly cpuSeconds: number;
  /** Frames that came again. */
  readonly repeats: number;
  /** A frame that was lost, not whole or out of order, or whatever else went wrong. */
  readonly fault?: string;
}

export interface ThroughputOptions {
  readonly loads: readonly Load[];
  readonly round: number;
  readonly scale: number;
  readonly data: string;
  /** Milliseconds without any frame after which what is missing counts as lost. */
  readonly patience?: number;
}

/** Milliseconds of warming up and of measuring after which no more messages begin. */
const AT_MOST = 20_000;

/** Frames per second of the server's CPU time, with one fresh server for all loads. */
export async function throughput(variant: Variant, options: ThroughputOptions): Promise<ThroughputResult[]> {
  const results: ThroughputResult[] = [];
  let server: RunningServer | undefined;
  for (const load of options.loads) {
    server ??= await startServer(variant, options.data);
    const result = await underLoad(variant, server, load, options);
    results.push(result);
    if (result.fault === undefined) continue;
    await server.stop();
    server = undefined;
  }
  await server?.stop();
  return results;
}

async function underLoad(
  { name, dialect }: Variant,
  server: RunningServer,
  load: Load,
  { scale, round, patience }: ThroughputOptions,
): Promise<ThroughputResult> {
  const { sockets, inFlight } = load;
  const nothing = {
    variant: name,
    load: nameOf(load),
    round,
    messages: 0,
    warmUp: 0,
    isCutShort: false,
    repeats: 0,
    cpuSeconds: Number.NaN,
  };
  const failed = { ...nothing, framesPerCpuSecond: Number.NaN, p50: Number.NaN, p99: Number.NaN };
  let audience: Audience | undefined;
  try {
    audience = await gather({
      dialect,
      address: server.address,
      topic: `bench-${sockets}-${inFlight}`,
      sockets,
      inFlight,
      ...(patience === undefined ? {} : { patience }),
    });
    const { deliver, tally } = audience;
    const run = (messages: number) => keepInFlight(deliver, { messages, atMost: AT_MOST, inFlight });
    const [wantsWarmUp, wants] = [Math.ceil(load.warmUp * scale), Math.ceil(load.messages * scale)];
    const warmUp = await run(wantsWarmUp);
    tally.clear();
    globalThis.gc?.();
    const before = server.usage().cpuSeconds;
    const messages = await run(wants);
    const cpuSeconds = server.usage().cpuSeconds - before;
    return {
      ...nothing,
      framesPerCpuSecond: cpuSeconds > 0 ? (messages * sockets) / cpuSeconds : Number.NaN,
      p50: percentile(tally.times, 50),
      p99: percentile(tally.times, 99),
      messages,
      warmUp,
      isCutShort: warmUp < wantsWarmUp || messages < wants,
      cpuSeconds,
      repeats: tally.repeats,
    };
  } catch (fault) {
    return { ...failed, fault: messageOf(fault) };
  } finally {
    await audience?.close();
  }
}
