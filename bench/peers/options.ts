import { VARIANTS, type Variant } from "./variants.ts";

const PARTS = ["throughput", "latency", "memory", "slow"] as const;
export type Part = (typeof PARTS)[number];

/** One shape of the load on which CPU time is counted. */
export interface Load {
  readonly sockets: number;
  readonly inFlight: number;
  /** Messages before those that count. */
  readonly warmUp: number;
  readonly messages: number;
}

/** Warmed up by messages: a warm-up by time finds compiled code in a fast server and not in a slow one. */
export const LOADS: readonly Load[] = [
  { sockets: 1, inFlight: 1, warmUp: 15_000, messages: 10_000 },
  { sockets: 1, inFlight: 20, warmUp: 15_000, messages: 20_000 },
  { sockets: 100, inFlight: 1, warmUp: 2_000, messages: 2_000 },
  { sockets: 100, inFlight: 20, warmUp: 2_000, messages: 4_000 },
  { sockets: 1_000, inFlight: 1, warmUp: 300, messages: 300 },
];

/** As `--load` takes it: 1x100@20, or 1x100 for all of its rows. */
export const nameOf = ({ sockets, inFlight }: Load): string => `1x${sockets}@${inFlight}`;

export const labelOf = ({ sockets, inFlight }: Load): string =>
  `1 → ${sockets.toLocaleString("en-US")}, ${inFlight} in flight`;

export interface PeersOptions {
  readonly variants: readonly Variant[];
  readonly parts: readonly Part[];
  readonly loads: readonly Load[];
  /** Rounds of the throughput part; all rows take a turn in each. */
  readonly rounds: number;
  /** Seconds of the slow part under load. */
  readonly seconds: number;
  /** Multiplies the numbers of messages, sockets and seconds, for a try of the bench itself. */
  readonly scale: number;
  /** Folder for the data of the servers: its disk is under test. */
  readonly data: string;
  /** Only a part of the rows or loads was asked for, so that the page is not written. */
  readonly isPartial: boolean;
}

export interface PeersArguments {
  readonly only?: string | undefined;
  readonly load?: string | undefined;
  readonly part?: string | undefined;
  readonly rounds?: string | undefined;
  readonly seconds?: string | undefined;
  readonly scale?: string | undefined;
  readonly data?: string | undefined;
  /** File for all numbers as JSON. */
  readonly output?: string | undefined;
}

/** What runs by default: the slow part alone takes over a minute a row. */
const BY_DEFAULT: readonly Part[] = ["throughput", "latency", "memory"];

/** Throws with what is known if a name is not. */
export function peersOptions(given: PeersArguments): PeersOptions {
  const scale = positive("--scale", given.scale, 1);
  return {
    variants:
      given.only === undefined
        ? VARIANTS.filter(({ isExtra }) => !isExtra)
        : pick(
            "--only",
            given.only,
            VARIANTS,
            (variant, name) => variant.name === name,
            ({ name }) => name,
          ),
    parts:
      given.part === undefined
        ? BY_DEFAULT
        : pick("--part", given.part, PARTS, (part, name) => part === name, String),
    loads: pick(
      "--load",
      given.load,
      LOADS,
      (load, name) => nameOf(load) === name || nameOf(load).startsWith(`${name}@`),
      nameOf,
    ),
    rounds: positive("--rounds", given.rounds, 1),
    seconds: positive("--seconds", given.seconds, 60),
    scale,
    data: given.data ?? "node_modules/.cache/tagwire/peers",
    isPartial: given.only !== undefined || given.load !== undefined || scale !== 1,
  };
}

function pick<T>(
  option: string,
  given: string | undefined,
  all: readonly T[],
  is: (item: T, name: string) => boolean,
  nameOfItem: (item: T) => string,
): readonly T[] {
  if (given === undefined) return all;
  const names = given.split(",");
  const unknown = names.filter((name) => !all.some((item) => is(item, name)));
  if (unknown.length > 0) {
    throw new Error(
      `${option} does not know ${unknown.join(", ")}; it knows ${all.map(nameOfItem).join(", ")}`,
    );
  }
  return all.filter((item) => names.some((name) => is(item, name)));
}

function positive(option: string, given: string | undefined, byDefault: number): number {
  const value = given === undefined ? byDefault : Number(given);
  if (!(value > 0 && Number.isFinite(value)))
    throw new Error(`${option} must be a number above 0, got ${given}`);
  return value;
}
