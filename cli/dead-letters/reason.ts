import type { Publisher } from "../../server/publisher.ts";
import { messageOf } from "../../shared/protocol/errors.ts";
import type { Receipt } from "../../shared/protocol/receipt.ts";
import type { Io } from "../io.ts";
import { publisherFor } from "../router.ts";
import type { ParsedDeadLetter } from "./parsed-dead-letter.ts";

/** Looks up the receipt of a dead letter's message. */
export type Lookup = (deadLetter: ParsedDeadLetter) => Promise<Receipt | undefined>;

/** Asks the router for receipts; after the first failure it makes no more calls. */
export function receipts(io: Io): Lookup {
  let failed = false;
  let router: Promise<Publisher> | undefined;
  return async ({ job }) => {
    if (!job || failed) return undefined;
    try {
      router ??= publisherFor(io, 1);
      return await (await router).receipt(job.message.id, { producer: job.message.producer });
    } catch (fault) {
      if (!failed) io.stderr.write(`tagwire: no receipts: ${messageOf(fault)}\n`);
      failed = true;
      return undefined;
    }
  };
}

/** Returns the reason of a dead letter. If SQS moved it by itself, only the receipt of its message may have one. */
export async function reasonOf(deadLetter: ParsedDeadLetter, lookup: Lookup): Promise<string | undefined> {
  if (deadLetter.reason !== undefined) return deadLetter.reason;
  return (await lookup(deadLetter))?.reason;
}
