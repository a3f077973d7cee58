import type { Job, MessageId } from "../../shared/domain/message.ts";
import type { UserId } from "../../shared/domain/tag.ts";
import type { Target } from "../../shared/domain/target.ts";
import type { Socket } from "../world/gateway.ts";
import { audienceOf } from "./audience.ts";
import { type ClaimWatch, watchClaims } from "./claims.ts";
import { type Letter, NO_COUNTS } from "./letter.ts";
import { type Notebook, notebook, shownLetter } from "./notebook.ts";
import { type PostWatch, watchPosts } from "./posts.ts";
import { type ReceiptWatch, watchReceipts } from "./receipts.ts";

/** What a POST is going to say. */
export interface Posting {
  readonly producer: UserId;
  readonly id: MessageId;
  readonly target: Target;
  readonly dedupeSeconds: number;
}

/** Sees everything and holds it against the promises. */
export interface Witness
  extends ClaimWatch,
    PostWatch,
    Pick<ReceiptWatch, "look">,
    Pick<Notebook, "violate"> {
  /** A POST starts. */
  posts(posting: Posting): Letter;
  /** The queue has it. */
  queued(job: Job): void;
  /** A cancel is written. */
  cancelling(producer: UserId, id: MessageId): void;
  /** A cancel is answered. */
  cancelled(producer: UserId, id: MessageId): void;
  /** What a socket is, or what its client knows of its tags, has changed. */
  changed(socket: Socket): void;
  readonly book: Notebook;
}

export interface WitnessWorld extends Pick<Notebook, "now" | "trace" | "gateway" | "rowsOf"> {
  readonly postsInFlight: number;
  readonly visibilitySeconds: number;
}

export function witnessOf({ postsInFlight, visibilitySeconds, ...world }: WitnessWorld): Witness {
  const book = notebook(world);
  const { letters, gateway, now } = book;
  const receipts = watchReceipts(book);
  /** Whom the last cancel of an id met. By its answer, a later message may have the id. */
  const hit = new Map<string, Letter | undefined>();

  return {
    book,
    violate: book.violate,
    look: receipts.look,
    ...watchClaims(book, receipts, visibilitySeconds),
    ...watchPosts(book, postsInFlight),
    posts(posting) {
      const letter: Letter = {
        ...posting,
        number: letters.length,
        postedAt: now(),
        accepted: false,
        audience: audienceOf(posting.target, gateway.sockets),
        arrivals: new Map(),
        servings: [],
        rows: [],
        tally: NO_COUNTS,
        cancelAsked: false,
      };
      letters.push(letter);
      return letter;
    },
    queued({ message }) {
      const letter = letters[(message.data as { number: number }).number];
      if (!letter) return book.violate("the queue holds what was posted", JSON.stringify(message));
      letter.message ??= message;
      book.byCopy.set(message.acceptanceId, letter);
    },
    cancelling(producer, id) {
      receipts.touch(producer, id);
      for (const letter of letters) {
        if (letter.producer === producer && letter.id === id) letter.cancelAsked = true;
      }
      hit.set(`${producer}#${id}`, shownLetter(book, book.rowsOf(producer, id)));
    },
    cancelled(producer, id) {
      const letter = hit.get(`${producer}#${id}`);
      if (letter && letter.receipt?.state !== "dead") letter.cancelledAt ??= now();
    },
    changed(socket) {
      for (const { audience } of letters) audience.changed(socket);
    },
  };
}
