import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CREDENTIALS, REGION } from "../../local/twin/emulators/aws.ts";
import { dynamoStreams } from "../../shared/adapters/dynamodb/streams.ts";
import { append } from "../../shared/pipeline/streams/append.ts";
import type { StreamDeps } from "../../shared/pipeline/streams/head.ts";
import { readHistory, readSince } from "../../shared/pipeline/streams/read.ts";
import { ensureStarted } from "../../shared/pipeline/streams/start.ts";
import type { Tag } from "../../shared/protocol/tag.ts";
import { REPLY_BYTES } from "../../shared/streams/reply.ts";
import { callsOf } from "../calls.ts";
import type { Fixture } from "../fixture.ts";

/** What one client's return costs, and the replies that it takes. */
export interface Resumed {
  readonly replies: number;
  readonly calls: number;
  readonly reads: number;
  readonly kilobytes: number;
}

const RETENTION = { seconds: 3_600, count: 100_000 };
const FRAME = JSON.stringify({ type: "message", id: "m", topic: "orders", data: "x".repeat(840) });

/** A client comes back to a stream of which it missed so many messages of a kilobyte, and reads all of them. */
export async function resumed({ tables }: Fixture, missed: number): Promise<Resumed> {
  const { endpoint, countedAt, names } = tables.ready;
  const clientOf = (at: string) =>
    new DynamoDBClient({ endpoint: at, region: REGION, credentials: CREDENTIALS });
  const [writing, reading] = [clientOf(endpoint), clientOf(countedAt)];
  const clock = { now: Date.now, monotonic: () => performance.now(), pause: async () => {} };
  const depsOf = (client: DynamoDBClient): StreamDeps => ({
    ...{ streams: dynamoStreams(client, names.streams), clock, random: Math.random },
  });
  const stream = `topic:${randomUUID()}` as Tag;
  const run = { id: "run", end: Number.POSITIVE_INFINITY };
  const since = await ensureStarted(depsOf(writing), stream, RETENTION);
  for (let left = missed; left > 0; left -= 10) {
    const frames = Array<string>(Math.min(10, left)).fill(FRAME);
    await append(depsOf(writing), stream, RETENTION, run, frames);
  }

  const before = await tables.ask({ ask: "units" });
  const result = { replies: 0, messages: 0, bytes: 0 };
  const calls = await callsOf(async () => {
    const deps = depsOf(reading);
    for (let position = since, more = true; more; result.replies++) {
      const ask = result.replies === 0 ? readSince : readHistory;
      const reply = await ask(deps, stream, RETENTION, position, REPLY_BYTES);
      if (reply.gap || !reply.recovered) throw new Error(`a resume of ${missed} messages has a gap`);
      result.messages += reply.messages.length;
      for (const { frame } of reply.messages) result.bytes += Buffer.byteLength(frame);
      ({ position, more } = reply);
    }
  });
  const after = await tables.ask({ ask: "units" });
  if (result.messages !== missed) throw new Error(`${result.messages} messages came back of ${missed}`);
  writing.destroy();
  reading.destroy();
  return {
    replies: result.replies,
    calls: [...calls.values()].reduce((sum, count) => sum + count, 0),
    reads: after.read - before.read,
    kilobytes: result.bytes / 1_024,
  };
}
