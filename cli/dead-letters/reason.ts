import { isObject } from "../failure.ts";
import type { Io } from "../io.ts";
import { messagePath } from "../receipt.ts";
import { call, granted } from "../router.ts";
import type { ParsedDeadLetter } from "./parsed-dead-letter.ts";

/** Looks up the receipt of a dead letter's message. */
export type Lookup = (deadLetter: ParsedDeadLetter) => Promise<Readonly<Record<string, unknown>> | undefined>;

/** Asks the router for receipts; after the first failure it makes no more calls. */
export function receipts(io: Io): Lookup {
  let failed = false;
  return async ({ job }) => {
    if (!job || failed) return undefined;
    try {
      const answer = await call(io, "GET", messagePath(job.message.id, job.message.producer));
      const body = answer.status === 404 ? undefined : granted(answer);
      return isObject(body) ? body : undefined;
    } catch (fault) {
      if (!failed)
        io.stderr.write(`tagwire: no receipts: ${fault instanceof Error ? fault.message : fault}\n`);
      failed = true;
      return undefined;
    }
  };
}

/** Returns the reason of a dead letter. If SQS moved it by itself, only the receipt of its message may have one. */
export async function reasonOf(deadLetter: ParsedDeadLetter, lookup: Lookup): Promise<string | undefined> {
  if (deadLetter.reason !== undefined) return deadLetter.reason;
  const receipt = await lookup(deadLetter);
  return typeof receipt?.reason === "string" ? receipt.reason : undefined;
}
