import * as v from "valibot";

/** A `traceparent` of version 00, as messages and frames carry it (W3C Trace Context §3.2). */
export const Traceparent = v.pipe(
  v.string(),
  v.regex(
    /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/,
    "must be a traceparent of version 00, as W3C Trace Context has it",
  ),
);
export type Traceparent = v.InferOutput<typeof Traceparent>;

/** What a later version begins with; it may go on after another dash (§3.3). ff is no version. */
const LATER = /^(?!00|ff)[0-9a-f]{2}-((?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

/**
 * Returns the `traceparent` of a request, or undefined if there is none or it is malformed: that starts no trace and is no
 * error (§3.3). One of a later version is passed on as version 00, of whose flags only `sampled` is known.
 */
export function traceparentFrom(header: string | undefined): Traceparent | undefined {
  if (header === undefined) return undefined;
  if (v.is(Traceparent, header)) return header;
  const [, ids, flags = ""] = LATER.exec(header) ?? [];
  return ids === undefined ? undefined : `00-${ids}-0${Number.parseInt(flags, 16) & 1}`;
}
