import { setTimeout as pause } from "node:timers/promises";
import { messageOf } from "../../shared/protocol/errors.ts";
import { type Audience, gather, openMany } from "./audience.ts";
import { dataOf, type Subscriber, subscribe } from "./dialect.ts";
import { keepRate } from "./load.ts";
import { percentile } from "./percentile.ts";
import { startServer } from "./server.ts";
import type { Variant } from "./variants.ts";

export interface SlowResult {
  readonly variant: string;
  /** Milliseconds from POST to frame of those that read, while all read. */
  readonly p99Before: number;
  /** The same while some do not. */
  readonly p99During: number;
  /** Messages to those that read, while some do not. */
  readonly messages: number;
  /** Sockets that did not read and that the server has closed. */
  readonly cut: number;
  readonly residentBytesBefore: number;
  readonly peakBytesDuring: number;
  /** Frames to those that read that came again. */
  readonly repeats: number;
  readonly fault?: string;
}

export const READERS = 1_980;
export const SLOW = 20;
/** Small messages to all, and large ones to those that will not read: kernels buffer megabytes before a server notices. */
const CROWD_PER_SECOND = 10;
const FLOOD_PER_SECOND = 20;
const FLOOD_BYTES = 16_384;
/** Seconds while all read; what counts is their second half. */
const SECONDS_BEFORE = 20;
/** Milliseconds between two looks at the memory of the server. */
const SAMPLE = 2_000;
/** Milliseconds for the system to tell of connections that were cut. */
const NEWS = 2_000;

/** Sockets that never read among many that do, the same messages before and after they stop. */
export async function slow(
  variant: Variant,
  { seconds, scale, data }: { readonly seconds: number; readonly scale: number; readonly data: string },
): Promise<SlowResult> {
  const { dialect, name } = variant;
  const server = await startServer(variant, data);
  const { address } = server;
  let audience: Audience | undefined;
  let sampler: NodeJS.Timeout | undefined;
  let others: readonly Subscriber[] = [];
  try {
    audience = await gather({
      dialect,
      address,
      topic: "crowd",
      sockets: Math.ceil(READERS * scale),
      inFlight: 20,
    });
    const { deliver, tally } = audience;
    let cut = 0;
    others = await openMany(SLOW, () =>
      subscribe(dialect, {
        address,
        topics: ["crowd", "flood"],
        onMessage() {},
        onCut() {
          cut++;
        },
      }),
    );
    const publisher = await dialect.publisher(address, 10);
    const flood = dataOf(0, FLOOD_BYTES);
    const load = async (of: number): Promise<number> => {
      const rate = (perSecond: number) => ({
        messages: Math.ceil(of * perSecond),
        atMost: of * 3_000,
        perSecond,
      });
      const [messages] = await Promise.all([
        keepRate(deliver, rate(CROWD_PER_SECOND)),
        keepRate(() => publisher.publish("flood", flood), rate(FLOOD_PER_SECOND)),
      ]);
      return messages;
    };
    // In both halves: reading /proc takes some milliseconds of this process, and so of the times.
    let peakBytesDuring = 0;
    sampler = setInterval(() => {
      peakBytesDuring = Math.max(peakBytesDuring, server.usage().residentBytes);
    }, SAMPLE);
    const half = (SECONDS_BEFORE / 2) * scale;
    await load(half);
    tally.clear();
    await load(half);
    const p99Before = percentile(tally.times, 99);
    const residentBytesBefore = server.usage().residentBytes;
    peakBytesDuring = residentBytesBefore;
    for (const { socket } of others) socket.pause();
    tally.clear();
    const messages = await load(seconds * scale);
    const p99During = percentile(tally.times, 99);
    for (const { socket } of others) socket.resume();
    await pause(NEWS);
    const measured = {
      variant: name,
      p99Before,
      p99During,
      messages,
      cut,
      repeats: tally.repeats,
      residentBytesBefore,
      peakBytesDuring,
    };
    await publisher.close();
    return measured;
  } catch (fault) {
    const message = messageOf(fault);
    const nothing = { p99Before: Number.NaN, p99During: Number.NaN, messages: 0, cut: 0, repeats: 0 };
    const bytes = { residentBytesBefore: Number.NaN, peakBytesDuring: Number.NaN };
    return { variant: name, ...nothing, ...bytes, fault: message };
  } finally {
    clearInterval(sampler);
    for (const { socket } of others) socket.terminate();
    await audience?.close();
    await server.stop();
  }
}
