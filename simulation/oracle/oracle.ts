import type { MessageId } from "../../shared/protocol/message.ts";
import type { UserId } from "../../shared/protocol/tag.ts";
import type { Socket } from "../world/gateway.ts";
import { audienceOf } from "./audience.ts";
import { type ClaimWatch, watchClaims } from "./claims.ts";
import { type ContainerWatch, watchContainers } from "./containers.ts";
import { type History, history } from "./history.ts";
import { type LaneWatch, watchLanes } from "./lanes.ts";
import { type LeftOutWatch, watchLeftOut } from "./left-out.ts";
import { type MessageRecord, NO_COUNTS, type PostedMessage } from "./message-record.ts";
import { type ReceiptWatch, watchReceipts } from "./receipts.ts";
import { type SendWatch, watchSends } from "./sends.ts";
import { type StreamWatch, watchStreams } from "./streams.ts";

/** Sees everything and holds it against the promises. */
export interface Oracle
  extends ClaimWatch,
    SendWatch,
    Pick<LeftOutWatch, "found">,
    LaneWatch,
    StreamWatch,
    Omit<ContainerWatch, "sends" | "hears">,
    Pick<ReceiptWatch, "look">,
    Pick<History, "violate"> {
  /** A POST starts. */
  posts(posting: PostedMessage): MessageRecord;
  /** A cancel is written; `stamp` is the time by the clock of the function that did it. */
  cancelling(producer: UserId, id: MessageId, stamp: number): void;
  /** A cancel is answered. */
  cancelled(producer: UserId, id: MessageId): void;
  /** What a socket is, or what its client knows of its tags, has changed. */
  changed(socket: Socket): void;
  readonly book: History;
}

export interface OracleWorld
  extends Pick<History, "now" | "trace" | "gateway" | "find" | "settings" | "rowsOf"> {
  readonly visibilitySeconds: number;
}

export function createOracle({ visibilitySeconds, ...world }: OracleWorld): Oracle {
  const book = history(world);
  const { records, gateway, now } = book;
  const receipts = watchReceipts(book);
  const containers = watchContainers(book);
  const sends = watchSends(book);
  const { found, leftOut } = watchLeftOut(book);
  /** Whom the last cancel of an id met. By its answer, a later message may have the id. */
  const hit = new Map<string, MessageRecord | undefined>();

  return {
    book,
    found,
    violate: book.violate,
    look: receipts.look,
    ...watchClaims(book, { receipts, leftOut }, visibilitySeconds),
    ...watchLanes(book, containers),
    ...containers,
    ...sends,
    ...watchStreams(book),
    posting(actor, id, frame) {
      if (actor.alive) containers.sends(actor);
      return sends.posting(actor, id, frame);
    },
    posted(post, result) {
      containers.hears(post, result);
      sends.posted(post, result);
    },
    posts(posting) {
      const record: MessageRecord = {
        ...posting,
        number: records.length,
        postedAt: now(),
        accepted: false,
        audience: audienceOf(posting.target, gateway.sockets),
        arrivals: new Map(),
        jobRuns: [],
        parts: new Map(),
        tally: NO_COUNTS,
        cancelAsked: false,
      };
      records.push(record);
      return record;
    },
    cancelling(producer, id, stamp) {
      receipts.touch(producer, id);
      for (const record of records) {
        if (record.producer === producer && record.id === id) record.cancelAsked = true;
      }
      const name = book.nameOf(producer, id);
      const cancel = { stamp, writtenAt: now() };
      if (name.shown) name.shown.cancel = cancel;
      else name.cancelled = cancel;
      hit.set(`${producer} ${id}`, name.shown);
    },
    cancelled(producer, id) {
      const record = hit.get(`${producer} ${id}`);
      if (record && record.receipt?.state !== "dead") record.cancelledAt ??= now();
    },
    changed(socket) {
      for (const { audience } of records) audience.changed(socket);
    },
  };
}
