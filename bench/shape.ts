import type { Target } from "../shared/protocol/target.ts";

export const BYTES = 500;

export interface Shape {
  readonly name: string;
  /** The lists its messages need. */
  readonly lists: Readonly<Record<string, readonly string[]>>;
  /** The targets of one batch. */
  readonly targets: readonly Target[];
  /** What the receipts of its messages keep. @default all */
  readonly keeps?: "failures";
  /** Connections that one message reaches. */
  readonly reach: number;
  readonly rounds: number;
  readonly least: number;
}

const ids = (count: number, prefix: string) =>
  Array.from(
    { length: count },
    (_, i) => `${Buffer.from(`${prefix}${i}`.padStart(11, "c")).toString("base64")}`,
  );
const batch = (target: (i: number) => unknown) => Array.from({ length: 10 }, (_, i) => target(i) as Target);

const SHORT = ids(100, "s");

export const SHAPES: readonly Shape[] = [
  {
    name: "one user each",
    lists: Object.fromEntries(ids(10, "u").map((id, i) => [`user:${i}`, [id]])),
    targets: batch((i) => ({ user: String(i) })),
    reach: 1,
    rounds: 9,
    least: 0.5,
  },
  {
    name: "one user each, receipts for failures only",
    lists: Object.fromEntries(ids(10, "u").map((id, i) => [`user:${i}`, [id]])),
    targets: batch((i) => ({ user: String(i) })),
    keeps: "failures",
    reach: 1,
    rounds: 9,
    least: 0.5,
  },
  {
    name: "a topic of 50",
    lists: { "topic:fifty": ids(50, "f") },
    targets: batch(() => ({ topic: "fifty" })),
    reach: 50,
    rounds: 9,
    least: 2,
  },
  {
    name: "a topic of 10,000",
    lists: { "topic:large": ids(10_000, "l") },
    targets: [{ topic: "large" } as Target],
    reach: 10_000,
    rounds: 3,
    least: 2,
  },
  {
    name: "100,000 ∩ 100",
    lists: { "region:large": [...ids(99_950, "r"), ...SHORT.slice(0, 50)], "plan:short": SHORT },
    targets: [{ tags: { all: ["region:large", "plan:short"] } } as Target],
    reach: 50,
    rounds: 3,
    least: 4,
  },
];
