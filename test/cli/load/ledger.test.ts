import fc from "fast-check";
import { expect, test } from "vitest";
import { type Fate, ledger } from "../../../cli/load/ledger.ts";

const SHAPE = { sockets: 6, topics: 3, messages: 40 };

type Step =
  | { readonly kind: "posted"; readonly message: number; readonly fate: Fate }
  | { readonly kind: "arrived"; readonly socket: number; readonly message: number }
  | { readonly kind: "cut"; readonly socket: number };

const message = fc.nat(SHAPE.messages - 1);
const socket = fc.nat(SHAPE.sockets - 1);
const fate = fc.constantFrom<Fate>("accepted", "refused", "unknown");
const steps = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("posted" as const), message, fate }) },
      { weight: 12, arbitrary: fc.record({ kind: fc.constant("arrived" as const), socket, message }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("cut" as const), socket }) },
    ),
    { maxLength: 200 },
  )
  // A message is posted once; the rest is as chance has it, frames before their answer too.
  .map((all: Step[]) =>
    all.filter(
      (step, i) =>
        step.kind !== "posted" ||
        all.findIndex((other) => other.kind === "posted" && other.message === step.message) === i,
    ),
  );

/** The same books, kept in sets. */
function naive(all: readonly Step[]) {
  const fates = new Map(all.flatMap((s) => (s.kind === "posted" ? [[s.message, s.fate] as const] : [])));
  const cut = new Set(all.flatMap((s) => (s.kind === "cut" ? [s.socket] : [])));
  const sum = { expected: 0, received: 0, lost: 0, repeated: 0, stray: 0 };
  for (let at = 0; at < SHAPE.sockets; at++) {
    const frames = all.flatMap((s) => (s.kind === "arrived" && s.socket === at ? [s.message] : []));
    const mine = frames.filter((number) => number % SHAPE.topics === at % SHAPE.topics);
    sum.stray += frames.length - mine.length;
    if (cut.has(at)) continue;
    const wanted = [...fates].flatMap(([number, fate]) =>
      fate === "accepted" && number % SHAPE.topics === at % SHAPE.topics ? [number] : [],
    );
    const got = new Set(mine);
    sum.expected += wanted.length;
    sum.received += got.size;
    sum.repeated += mine.length - got.size;
    sum.lost += wanted.filter((number) => !got.has(number)).length;
  }
  return sum;
}

test("the books say what came, what is missing and what came twice", () => {
  fc.assert(
    fc.property(steps, (all) => {
      const books = ledger(SHAPE);
      for (const step of all) {
        if (step.kind === "posted") books.posted(step.message, step.fate);
        else if (step.kind === "arrived") books.arrived(step.socket, step.message);
        else books.cut(step.socket);
      }
      const text = naive(all);
      expect(books.tally()).toEqual(text);
      expect(books.isComplete()).toBe(text.lost === 0);
    }),
    { numRuns: 500 },
  );
});
