import { rememberedHeads } from "../../../shared/pipeline/streams/heads.ts";
import type { Streams } from "../../../shared/ports.ts";
import type { Tag } from "../../../shared/protocol/tag.ts";
import { memoryClock } from "../../../testing/memory/clock.ts";
import { type MemoryStreams, memoryStreams } from "../../../testing/memory/streams.ts";
import { NOW } from "../../support/message.ts";

export const HOUR = 3_600_000;
export const ORDERS = "topic:orders" as Tag;
export const RETENTION = { seconds: 3_600, count: 100 };
export const RUN = { id: "run-1", end: Number.POSITIVE_INFINITY };
export const START = NOW * 1000;

export const frameOf = (id: string, data: unknown = 1): string =>
  JSON.stringify({ type: "message", id, topic: "orders", data });
export const framesOf = (...ids: readonly string[]): string[] => ids.map((id) => frameOf(id));
export const idsOf = (messages: readonly { readonly frame: string }[]): string[] =>
  messages.map(({ frame }) => (JSON.parse(frame) as { id: string }).id);

/** One stream over memory. `calls` are the names of the calls that were made. */
export function oneStream(options: { pageBytes?: number } = {}) {
  const memory = memoryStreams(options);
  const calls: (keyof Streams)[] = [];
  const streams = counted(memory, calls);
  const clock = memoryClock(NOW);
  const container = () => ({ streams, clock, random: () => 0.5, heads: rememberedHeads(clock) });
  return { memory, calls, clock, container, deps: container() };
}

function counted(streams: MemoryStreams, calls: (keyof Streams)[]): Streams {
  const names = ["last", "root", "read", "append", "start", "empty"] as const;
  return Object.fromEntries(
    names.map((name) => [
      name,
      (...args: unknown[]) => {
        calls.push(name);
        return (streams[name] as (...args: unknown[]) => unknown)(...args);
      },
    ]),
  ) as unknown as Streams;
}
