import { parseArgs } from "node:util";
import { MUTANTS } from "./mutants.ts";
import type { Options } from "./simulate.ts";
import type { Mutant } from "./world/mutant.ts";
import { OUTAGES } from "./world/outage.ts";
import type { OutagePlan } from "./world/scenario.ts";

/** What the command line asks for. */
export interface Arguments extends Omit<Options, "keepTrace"> {
  readonly seeds: number;
  readonly budget?: number;
  readonly mutants: boolean;
  readonly json: boolean;
  readonly trace: boolean;
}

export const HELP = `npm run simulate -- [--seed N] [--seeds COUNT] [--messages M] [--connections C] [--topics T]
                    [--faults all|none|name[=rate],…] [--budget SECONDS] [--json] [--trace]
                    [--outage KIND:SECONDS[@claim]] [--poison PART] [--slow CLIENTS] [--mutant NAME | --mutants]

Runs the pipeline over memory adapters on a fake clock, COUNT seeds from N on, or as many as fit the budget. The same
seed does the same. Where a promise does not hold it prints the smallest case it can find and ends with 1.
--outage lets one thing be down for a while: ${OUTAGES.join(", ")};
with @claim it begins at the first claims. --poison makes a part of the messages kill the runs that process them.
--slow is the number of clients that never read. With these three nothing else goes wrong, unless --faults says so.
--mutant plants a bug; --mutants plants each in turn and says which seed found it.`;

/** Reads the command line. Throws an Error that says what is wrong with it. */
export function argumentsFrom(args: readonly string[]): Arguments | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: "string", default: "1" },
      seeds: { type: "string" },
      messages: { type: "string", default: "12" },
      connections: { type: "string", default: "16" },
      topics: { type: "string", default: "3" },
      faults: { type: "string" },
      outage: { type: "string" },
      poison: { type: "string" },
      slow: { type: "string" },
      budget: { type: "string" },
      mutant: { type: "string" },
      mutants: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      trace: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const number = (
    name: "seed" | "messages" | "connections" | "topics" | "budget" | "seeds" | "slow",
    text: string,
  ) => {
    if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name} must be a whole number, got ${text}`);
    return Number(text);
  };
  const { outage, poison, slow } = values;
  const isScene = outage ?? poison ?? slow;
  const part = Number(poison ?? 0);
  if (!(part >= 0 && part <= 1)) throw new Error(`--poison must be 0-1, got ${poison}`);
  const many = values.mutant || values.mutants || values.budget;
  return {
    seed: number("seed", values.seed),
    seeds: number("seeds", values.seeds ?? (values.budget ? "999999999" : many ? "200" : "1")),
    messages: number("messages", values.messages),
    connections: number("connections", values.connections),
    topics: Math.max(1, number("topics", values.topics)),
    faults: values.faults ?? (isScene === undefined ? "all" : SCENE_FAULTS),
    ...(outage === undefined ? {} : { outage: outageFrom(outage) }),
    ...(poison === undefined ? {} : { poison: part }),
    ...(slow === undefined ? {} : { slow: number("slow", slow) }),
    mutants: values.mutants,
    json: values.json,
    trace: values.trace,
    ...(values.budget === undefined ? {} : { budget: number("budget", values.budget) * 1000 }),
    ...(values.mutant === undefined ? {} : { mutant: mutantCalled(values.mutant) }),
  };
}

/** What may go wrong beside an outage: that a message has a deadline. */
export const SCENE_FAULTS = "producer-deadline";

/** Reads `KIND:SECONDS`, with `@claim` behind it or without. */
export function outageFrom(text: string): OutagePlan {
  const [, name, seconds, claim] = /^([a-z0-9-]+):(\d{1,6})(@claim)?$/.exec(text) ?? [];
  const kind = OUTAGES.find((one) => one === name);
  if (!kind) throw new Error(`--outage must be KIND:SECONDS with one of ${OUTAGES.join(", ")}, got ${text}`);
  return { kind, seconds: Number(seconds), atClaim: claim !== undefined };
}

function mutantCalled(name: string): Mutant {
  const found = Object.entries<Mutant>(MUTANTS).find(([known]) => known === name);
  if (!found) throw new Error(`there is no mutant ${name}; there are ${Object.keys(MUTANTS).join(", ")}`);
  return found[1];
}
