import { InvalidArgumentError } from "commander";
import { tagsFor } from "../../shared/protocol/target.ts";
import { filled } from "../option.ts";
import { nameOf, type ParsedDeadLetter } from "./parsed-dead-letter.ts";

/** The conditions that a dead letter has to match. An absent condition matches all. Ages are in milliseconds. */
export interface Filter {
  readonly id?: string;
  readonly producer?: string;
  readonly target?: string;
  readonly reason?: RegExp;
  readonly older?: number;
  readonly newer?: number;
}

export const isEmpty = ({ id, producer, target, reason, older, newer }: Filter): boolean =>
  [id, producer, target, reason, older, newer].every((part) => part === undefined);

/** Returns true if a dead letter matches every condition except the reason. */
export function matches(filter: Filter, deadLetter: ParsedDeadLetter, now: number): boolean {
  const { id, producer, target, older, newer } = filter;
  const age = now - deadLetter.sentAt;
  return (
    (id === undefined || nameOf(deadLetter) === id || deadLetter.entryId === id) &&
    (producer === undefined || deadLetter.job?.message.producer === producer) &&
    (target === undefined || isFor(deadLetter, target)) &&
    (older === undefined || age >= older) &&
    (newer === undefined || age <= newer)
  );
}

/** A dead letter without a known reason matches no reason. */
export const matchesReason = ({ reason: wanted }: Filter, reason: string | undefined): boolean =>
  wanted === undefined || (reason !== undefined && wanted.test(reason));

/** `connection:C`, or any tag that the target finds connections by. */
function isFor({ job }: ParsedDeadLetter, text: string): boolean {
  if (!job) return false;
  const { target } = job.message;
  if ("connection" in target) return text === `connection:${target.connection}`;
  return tagsFor(target).some((tag) => tag === text);
}

/** `/5\d\d/` is a regular expression; anything else is text to be found. Case does not matter. */
export function parseReason(text: string): RegExp {
  filled(text);
  const pattern = /^\/(.+)\/$/.exec(text)?.[1];
  try {
    return new RegExp(pattern ?? text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&"), "i");
  } catch {
    throw new InvalidArgumentError("It must be text, or a regular expression between slashes.");
  }
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `15m`, `2h` or `3d`, in milliseconds. */
export function parseAge(text: string): number {
  const [, count, unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const length = UNITS[unit];
  if (length === undefined) throw new InvalidArgumentError("It must be an age, as in 90s, 15m, 2h or 3d.");
  return Number(count) * length;
}
