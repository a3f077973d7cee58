import { answer, connect } from "../../shared/pipeline/socket/socket.ts";
import { append } from "../../shared/pipeline/streams/append.ts";
import type { Streams } from "../../shared/ports.ts";
import type { ServerFrame } from "../../shared/protocol/frame.ts";
import type { MessageId } from "../../shared/protocol/message.ts";
import { messageFrame } from "../../shared/protocol/message-frame.ts";
import type { Tag } from "../../shared/protocol/tag.ts";
import type { Target } from "../../shared/protocol/target.ts";
import { type StreamSettings, streamOf } from "../../shared/streams/kept.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { memoryConnections } from "../../testing/memory/connections.ts";
import { memoryStreams } from "../../testing/memory/streams.ts";
import { memorySubscriptions } from "../../testing/memory/subscriptions.ts";
import { memoryTelemetry } from "../../testing/memory/telemetry.ts";
import { memoryTokens } from "../../testing/memory/tokens.ts";
import { aMessage, NOW } from "../support/message.ts";
import { ANN, SOCKET } from "./side-by-side.ts";

export const KEPT: StreamSettings = {
  streams: [{ topics: "orders*", seconds: 60, count: 100 }],
  userStreams: { seconds: 60, count: 100 },
};

/** A position that no stream of a test has reached. */
export const FAR = Number.MAX_SAFE_INTEGER;

interface Options {
  readonly settings?: StreamSettings;
  readonly streams?: (streams: Streams) => Streams;
  readonly readLimit?: (connectionId: string, cost?: number) => number | undefined;
  readonly subscribe?: readonly string[];
}

/** One open connection of a router with streams, in memory. */
export async function streamSocket({
  settings = KEPT,
  streams = (own) => own,
  readLimit = () => undefined,
  subscribe = ["*"],
}: Options = {}) {
  const clock = memoryClock(NOW);
  const tables = {
    connections: memoryConnections(),
    subscriptions: memorySubscriptions(),
    streams: memoryStreams(),
  };
  const calls: string[] = [];
  const counted = new Proxy(tables.streams, {
    get:
      (target, name: keyof Streams) =>
      (...asked: unknown[]) => {
        calls.push(name);
        return (target[name] as (...asked: unknown[]) => unknown)(...asked);
      },
  });
  const deps = {
    connections: tables.connections,
    subscriptions: tables.subscriptions,
    policy: { maxAgeSeconds: 7_200, rowMarginSeconds: 600 },
    telemetry: memoryTelemetry(),
    tokens: memoryTokens(),
    clock,
    random: () => 0.5,
    frameLimit: () => undefined,
    readLimit,
    reads: { streams: streams(counted), clock, random: () => 0.5, settings },
  };
  await connect(deps, SOCKET, { ...ANN, subscribe: [...subscribe] });
  let ids = 0;
  return {
    deps,
    clock,
    calls,
    tables,
    ask: (frame: object): Promise<ServerFrame> => answer(deps, SOCKET.connectionId, JSON.stringify(frame)),
    /** Appends messages to the stream of a target. Returns their numbers. */
    append: async (target: object, ...data: unknown[]): Promise<readonly number[]> => {
      const kept = streamOf(settings, target as Target);
      if (!kept) throw new Error(`${JSON.stringify(target)} keeps no stream`);
      const frames = data.map((one) =>
        JSON.stringify(
          messageFrame(aMessage({ id: `m-${++ids}` as MessageId, target: target as Target, data: one })),
        ),
      );
      const run = { id: "run", end: NOW + 86_400_000 };
      return append(deps.reads, kept.stream, kept.retention, run, frames);
    },
    listed: (): readonly Tag[] => tables.subscriptions.rows().map(({ tag }) => tag),
  };
}
