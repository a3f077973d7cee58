import { setImmediate as turn } from "node:timers/promises";
import { consume } from "../shared/pipeline/consume/consume.ts";
import { gateway, gatewayMemory } from "../shared/pipeline/deliver/gateway.ts";
import type { IndexEntry, Sockets, Subscriptions } from "../shared/ports.ts";
import type { ConnectionId, Tag } from "../shared/protocol/tag.ts";
import { after } from "../shared/receipts/hash-range.ts";
import { deliveryPolicy } from "../shared/settings/policy.ts";
import { DEFAULTS } from "../shared/settings/settings.ts";
import { memoryConnections } from "../testing/memory/connections.ts";
import { memoryQueue } from "../testing/memory/queue.ts";
import { memoryReceipts } from "../testing/memory/receipts.ts";
import { memorySubscriptions } from "../testing/memory/subscriptions.ts";
import { memoryTelemetry } from "../testing/memory/telemetry.ts";
import { plainDeliver } from "./plain/deliver.ts";

/*
 * Delivers messages to `connections` simulated connections each, and prints the peak memory of the process in bytes.
 * deliver.mjs tagwire|plain CONNECTIONS MESSAGES
 */
const [way, ...numbers] = process.argv.slice(2);
const [connections = 0, messages = 0] = numbers.map(Number);

/** A list whose rows are made when they are read: `index` of `connections`, in the order of the hash. */
const keyAt = (index: number): string =>
  `${Math.floor((index * 2 ** 32) / connections)
    .toString(16)
    .padStart(8, "0")}#c${String(index).padStart(9, "0")}=`;

const subscriptions: Subscriptions = {
  ...memorySubscriptions(),
  async page(_tag, { from, to, limit }) {
    let index = Math.floor((Number.parseInt(from.slice(0, 8).padEnd(8, "0"), 16) * connections) / 2 ** 32);
    while (index < connections && keyAt(index) < from) index++;
    const rows: IndexEntry[] = [];
    for (; rows.length < limit && index < connections && keyAt(index) < to; index++) {
      const key = keyAt(index);
      rows.push({ key, connectionId: key.slice(9) as ConnectionId, connectedAt: 1 });
    }
    await turn();
    const last = rows.at(-1);
    return { rows, read: rows.length, ...(last && rows.length === limit ? { next: after(last.key) } : {}) };
  },
};

let posts = 0;
const sockets: Sockets = {
  close: async () => ({ kind: "gone" }),
  probe: async () => "up",
  async send() {
    posts++;
    if (posts % 50 === 0) await turn();
    return { kind: "sent" };
  },
};

async function tagwire(id: string): Promise<void> {
  const body = JSON.stringify({
    v: 1,
    message: {
      id,
      producer: "producer",
      acceptanceId: "acceptance",
      target: { topic: "large" },
      data: { note: "x".repeat(500) },
      priority: "normal",
      time: new Date().toISOString(),
      expiresAt: Date.now() + 3_600_000,
      dedupeSeconds: 300,
    },
  });
  const clock = { now: Date.now, monotonic: () => performance.now(), pause: async () => {} };
  const telemetry = memoryTelemetry();
  const kept = await consume(
    {
      gateway: gateway(gatewayMemory({ quotaRequestsPerSecond: 1e9, quotaFraction: 1 }), { sockets, clock }),
      subscriptions,
      connections: memoryConnections(),
      queue: memoryQueue(),
      receipts: memoryReceipts(),
      telemetry,
      clock,
      random: Math.random,
      newId: () => "run",
      // One run serves all, which is more than any run of a function is given.
      policy: { ...deliveryPolicy(DEFAULTS), recipientsPerRun: Number.POSITIVE_INFINITY },
      visibilitySeconds: 360,
    },
    [{ messageId: "m", lane: "normal", body, receive: 1, receiptHandle: "h" }],
    { end: Date.now() + 3_600_000 },
  );
  if (kept.length > 0) throw new Error(`the message was kept: ${JSON.stringify(telemetry.warnings)}`);
}

for (let message = 0; message < messages; message++) {
  if (way === "tagwire") await tagwire(String(message));
  else await plainDeliver(subscriptions, sockets, "topic:large" as Tag, Buffer.alloc(600));
}
const due = connections * messages;
if (posts !== due) throw new Error(`${posts} posts were made, ${due} were due`);
console.log(JSON.stringify({ peak: process.resourceUsage().maxRSS * 1024 }));
