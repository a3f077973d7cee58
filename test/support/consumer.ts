import { consume } from "../../shared/pipeline/consume/consume.ts";
import type { Received } from "../../shared/pipeline/consume/record.ts";
import { gateway, gatewayMemory } from "../../shared/pipeline/deliver/gateway.ts";
import { rememberedHeads } from "../../shared/pipeline/streams/heads.ts";
import type { Sockets } from "../../shared/ports.ts";
import type { Message, MessageId } from "../../shared/protocol/message.ts";
import type { ConnectionId, Tag, UserId } from "../../shared/protocol/tag.ts";
import type { Job } from "../../shared/receipts/job.ts";
import { bodyOf } from "../../shared/receipts/job-body.ts";
import { visibilitySeconds } from "../../shared/settings/derived.ts";
import { deliveryPolicy } from "../../shared/settings/policy.ts";
import type { SettingsOverrides } from "../../shared/settings/schema.ts";
import { settings } from "../../shared/settings/settings.ts";
import { keepsStreams } from "../../shared/streams/kept.ts";
import { memoryClock } from "../../testing/memory/clock.ts";
import { memoryConnections } from "../../testing/memory/connections.ts";
import { memoryQueue } from "../../testing/memory/queue.ts";
import { memoryReceipts } from "../../testing/memory/receipts.ts";
import { memorySockets } from "../../testing/memory/sockets.ts";
import { memoryStreams } from "../../testing/memory/streams.ts";
import { memorySubscriptions } from "../../testing/memory/subscriptions.ts";
import { memoryTelemetry } from "../../testing/memory/telemetry.ts";
import { aJob, NOW } from "./message.ts";

export const ANN = "ann" as UserId;

/** A consumer in memory, and the sockets it posts to. */
export function consumer({
  receipts = memoryReceipts(),
  queue = memoryQueue(),
  overrides = {} as SettingsOverrides,
  streams = memoryStreams(),
} = {}) {
  const kept = settings(overrides);
  const policy = deliveryPolicy(kept);
  const clock = memoryClock(NOW);
  const [connections, subscriptions] = [memoryConnections(), memorySubscriptions()];
  const [open, telemetry] = [memorySockets(), memoryTelemetry()];
  /** What a test puts in place of its methods is what the consumer calls. */
  const sockets: typeof open = { ...open };
  const through: Pick<Sockets, "send" | "probe"> = {
    send: (id, frame) => sockets.send(id, frame),
    probe: () => sockets.probe(),
  };
  let ids = 0;
  const container = () =>
    gateway(gatewayMemory({ quotaRequestsPerSecond: 1e9, quotaFraction: 1 }), { sockets: through, clock });
  let current = container();
  let heads = rememberedHeads(clock);
  const deps = {
    connections,
    subscriptions,
    receipts,
    queue,
    telemetry,
    clock,
    policy,
    random: () => 0.5,
    newId: () => `run-${++ids}`,
    visibilitySeconds: visibilitySeconds(settings()),
  };
  return {
    clock,
    connections,
    subscriptions,
    receipts,
    queue,
    sockets,
    streams,
    telemetry,
    /** Runs on what was received; a minute is left, or so many milliseconds. */
    run: (records: readonly Received[], left = 60_000) =>
      consume(
        {
          ...deps,
          gateway: current,
          ...(keepsStreams(kept) ? { streams: { table: streams, heads, kept } } : {}),
        },
        records,
        { end: clock.now() + left },
      ),
    /** The container is gone, and with it what it had learnt. */
    restart() {
      current = container();
      heads = rememberedHeads(clock);
    },
    async connect(name: string, ...topics: string[]) {
      // Long enough ago that a 410 means what it says.
      const holder = { connectionId: `${name}=` as ConnectionId, connectedAt: NOW - 60_000 };
      const tags = ["everyone", ...topics.map((topic) => `topic:${topic}`)] as Tag[];
      const expiresAt = NOW + 7_200_000;
      await connections.put({
        ...holder,
        user: ANN,
        tags,
        subscribe: [],
        expiresAt,
        tokenExpiresAt: expiresAt,
      });
      await subscriptions.add(tags, holder, expiresAt);
      sockets.open(holder.connectionId);
      return holder.connectionId;
    },
    got: (id: ConnectionId) => sockets.frames(id).map((text) => (JSON.parse(text) as Message).id),
    /** The state that the receipt says, or `unrecorded`. */
    state: async (id: string) => {
      const receipt = await receipts.find(ANN, id as MessageId, clock.now());
      return typeof receipt === "object" ? receipt.state : receipt;
    },
  };
}

let handles = 0;
/** A body or a job as a run gets it. */
export const received = (job: Job | string, receive = 1): Received => {
  const body = typeof job === "string" ? job : bodyOf(job);
  const name = `${++handles}`;
  return { messageId: name, receiptHandle: `handle-${name}`, lane: "normal", receive, body };
};
export const aMessageOf = (id: string, fields: Partial<Message> = {}) =>
  aJob({ id: id as MessageId, acceptanceId: `acceptance of ${id}`, ...fields });
