import * as v from "valibot";
import { Data } from "../protocol/data.ts";
import { PRIORITIES } from "../protocol/lane.ts";
import { DEDUPE_SECONDS } from "../protocol/limits.ts";
import { type Message, MessageId, seconds, Time } from "../protocol/message.ts";
import { parse, parseJson } from "../protocol/parse.ts";
import { UserId } from "../protocol/tag.ts";
import { Target } from "../protocol/target.ts";
import { Traceparent } from "../protocol/traceparent.ts";
import { type HashRange, isHashRange } from "./hash-range.ts";
import type { Job } from "./job.ts";

/** What queue bodies say they are. A consumer reads this version and the one before, so that deploys lose nothing. */
const BODY_VERSION = 1;

/** A queue body as it was read. */
export type ReadBody =
  | { readonly kind: "job"; readonly job: Job }
  /** Written by a newer deployment: a consumer of that deployment can read it. */
  | { readonly kind: "newer"; readonly version: number }
  /** It is no job of any version. */
  | { readonly kind: "invalid"; readonly reason: string };

const AcceptanceId = v.pipe(v.string(), v.minLength(1), v.maxLength(128));

const bodyWith = <const A extends v.ObjectEntries, const E extends v.ObjectEntries>(
  acceptance: A,
  expiry: E,
) =>
  v.object({
    message: v.object({
      id: MessageId,
      producer: UserId,
      ...acceptance,
      target: Target,
      event: v.optional(v.string()),
      data: Data,
      priority: v.picklist(PRIORITIES),
      time: Time,
      ...expiry,
      dedupeSeconds: seconds(0, DEDUPE_SECONDS),
      keeps: v.optional(v.literal("failures")),
      // What is only told to others makes no body invalid.
      dueAt: v.optional(v.fallback(v.optional(v.number()), undefined)),
      traceparent: v.optional(v.fallback(v.optional(Traceparent), undefined)),
    }),
    range: v.optional(v.custom<HashRange>(isHashRange, "must be a range of hashes")),
    seq: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
  });

const Body = bodyWith({ acceptanceId: AcceptanceId }, { expiresAt: v.number() });

/** Version 0 had no `v`, called the acceptance id `copy`, and gave no deadline to a message that brought none. */
const BodyBefore = bodyWith({ copy: AcceptanceId }, { expiresAt: v.optional(v.number()) });

/** Milliseconds that a message of version 0 lived without a deadline of its own. */
const LIFE_BEFORE = 342_000_000;

/**
 * The queue body of a job. `seq`, `keeps`, `dueAt` and `traceparent` came after version 1: a consumer that does not know
 * them leaves them out. It sends frames without a number and a trace, and keeps the whole receipt.
 */
export const bodyOf = ({ message, range, seq }: Job): string =>
  JSON.stringify({
    v: BODY_VERSION,
    message,
    ...(range ? { range } : {}),
    ...(seq === undefined ? {} : { seq }),
  });

/** Reads a queue body. Anyone with access to the queue can write to it, so it is checked like a POST. */
export function readBody(text: string): ReadBody {
  const json = parseJson(text, "MESSAGE_INVALID");
  if (!json.ok) return invalid(json);
  const version = versionOf(json.value);
  if (version > BODY_VERSION) return { kind: "newer", version };
  return version === 0 ? readBefore(json.value) : read(json.value);
}

function read(value: unknown): ReadBody {
  const body = parse(Body, value, "MESSAGE_INVALID");
  return body.ok ? { kind: "job", job: body.value as Job } : invalid(body);
}

function readBefore(value: unknown): ReadBody {
  const body = parse(BodyBefore, value, "MESSAGE_INVALID");
  if (!body.ok) return invalid(body);
  const { message, range } = body.value;
  const { copy, ...rest } = message;
  const expiresAt = rest.expiresAt ?? Date.parse(rest.time) + LIFE_BEFORE;
  const upgraded: Message = { ...rest, acceptanceId: copy, expiresAt } as Message;
  return { kind: "job", job: { message: upgraded, ...(range ? { range } : {}) } };
}

function versionOf(value: unknown): number {
  const version = typeof value === "object" && value !== null && "v" in value ? value.v : 0;
  return typeof version === "number" && Number.isInteger(version) && version > 0 ? version : 0;
}

const invalid = ({ refusal }: { refusal: { code: string; detail: string } }): ReadBody => ({
  kind: "invalid",
  reason: `${refusal.code}: ${refusal.detail}`,
});
