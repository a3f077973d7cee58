import { messageOf } from "../../shared/protocol/errors.ts";
import { turned } from "../measure.ts";
import { bareCommit, type CommitResult } from "./commit.ts";
import { type IdleResult, idle } from "./idle.ts";
import { type LatencyResult, latency } from "./latency.ts";
import type { PeersOptions } from "./options.ts";
import { endWithUs } from "./server.ts";
import { type SlowResult, slow } from "./slow.ts";
import { type ThroughputResult, throughput } from "./throughput.ts";
import type { Variant } from "./variants.ts";

/** All that one run found. */
export interface PeersResults {
  readonly rows: readonly { readonly name: string; readonly label: string; readonly version: string }[];
  /** Servers that are not here, and what would do. */
  readonly absent: readonly string[];
  readonly throughput: readonly ThroughputResult[];
  readonly latency: readonly LatencyResult[];
  readonly memory: readonly IdleResult[];
  readonly slow: readonly SlowResult[];
  readonly commit: CommitResult | undefined;
  /** Servers that could not be measured at all. */
  readonly faults: readonly string[];
}

/** The bare group commit: as often as messages come in the part about latency. */
const COMMITS = { commits: 2_000, perSecond: 500 };

/** Measures one server after the other, so that none has another beside it. */
export async function runPeers(options: PeersOptions, say: (line: string) => void): Promise<PeersResults> {
  if (process.platform !== "linux")
    throw new Error("the bench peers reads CPU time from /proc, which only Linux has");
  endWithUs();
  const { parts, loads, rounds, scale, seconds, data } = options;
  const reasons = options.variants.map((variant) => ({ variant, reason: variant.absent() }));
  const there = reasons.filter(({ reason }) => reason === undefined).map(({ variant }) => variant);
  const absent = reasons.flatMap(({ variant, reason }) => (reason ? [`${variant.label}: ${reason}`] : []));
  for (const line of absent) say(`not here: ${line}`);
  const faults: string[] = [];
  const each = async <T>(
    part: string,
    variants: readonly Variant[],
    measure: (variant: Variant) => Promise<T[]>,
  ) => {
    const all: T[] = [];
    for (const variant of variants) {
      say(`${part}: ${variant.label}`);
      try {
        all.push(...(await measure(variant)));
      } catch (fault) {
        faults.push(`${part}: ${messageOf(fault)}`);
      }
    }
    return all;
  };
  const has = (part: (typeof parts)[number]) => parts.includes(part);
  const ofThroughput: ThroughputResult[] = [];
  for (let round = 0; has("throughput") && round < rounds; round++) {
    const results = await each("throughput", turned(there, round), (variant) =>
      throughput(variant, { loads, round, scale, data }),
    );
    ofThroughput.push(...results);
  }
  const commits = { ...COMMITS, commits: Math.ceil(COMMITS.commits * scale) };
  return {
    rows: there.map((variant) => ({ name: variant.name, label: variant.label, version: variant.version() })),
    absent,
    throughput: ofThroughput,
    commit: has("throughput") || has("latency") ? await bareCommit(data, commits) : undefined,
    latency: has("latency")
      ? await each("latency", there, (variant) => latency(variant, { scale, data }))
      : [],
    memory: has("memory") ? await each("memory", there, (variant) => idle(variant, { scale, data })) : [],
    slow: has("slow")
      ? await each("slow", there, async (variant) => [await slow(variant, { seconds, scale, data })])
      : [],
    faults,
  };
}
