import type { SendResult } from "../../../shared/ports.ts";
import { TagwireError } from "../../../shared/protocol/errors.ts";
import type { Message, MessageId } from "../../../shared/protocol/message.ts";
import type { Tag } from "../../../shared/protocol/tag.ts";
import type { SettingsOverrides } from "../../../shared/settings/schema.ts";
import { type MemoryStreams, memoryStreams } from "../../../testing/memory/streams.ts";
import { ANN, consumer } from "../../support/consumer.ts";
import { ORDERS } from "./support.ts";

export const KEPT = { streams: [{ topics: "orders", seconds: 3_600, count: 100 }] };

export type Consumer = ReturnType<typeof consumer>;
export type Connection = Parameters<Consumer["got"]>[0];

/** A consumer of streams that notes its calls to tables, and what it sends, in order. */
export function noted(overrides: SettingsOverrides = KEPT) {
  const streams = memoryStreams();
  const calls: string[] = [];
  const through: MemoryStreams = { ...streams };
  for (const name of ["last", "root", "read", "append", "start", "empty"] as const) {
    const call = streams[name] as (...asked: unknown[]) => Promise<unknown>;
    Object.assign(through, {
      [name]: (...asked: unknown[]) => {
        calls.push(name);
        return call(...asked);
      },
    });
  }
  const under = consumer({ overrides, streams: through });
  const { page } = under.subscriptions;
  under.subscriptions.page = (...asked) => {
    calls.push(`page ${asked[0]}`);
    return page(...asked);
  };
  return { ...under, calls };
}

/** The ids of a stream by row; an empty text where a number has no data. */
export const rowsOf = ({ streams }: Pick<Consumer, "streams">, stream: Tag = ORDERS): string[][] =>
  streams
    .rowsOf(stream)
    .filter(({ seq }) => seq > 0)
    .map(({ messages }) => messages.map((text) => (text === "" ? "" : (JSON.parse(text) as Message).id)));

export const sentTo = ({ sockets }: Pick<Consumer, "sockets">, id: Connection) =>
  sockets.frames(id).map((text) => {
    const { id, seq } = JSON.parse(text) as { id: string; seq?: number };
    return [id, seq];
  });

export const numberOf = ({ receipts }: Consumer, id: string) =>
  receipts.rowsOf(ANN, id as MessageId).map(({ seq }) => seq);

export const BUSY: SendResult = { kind: "throttled", reason: "429" };
export const NO_TABLE = () => Promise.reject(new TagwireError("TABLE_UNAVAILABLE", "throttled"));
