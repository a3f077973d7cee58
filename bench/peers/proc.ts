import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** One line of /proc/PID/stat, all threads of the process together. */
export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** User and system time, with that of children that have ended, in clock ticks. */
  readonly ticks: number;
  /** Resident set, in pages. */
  readonly pages: number;
}

export interface Usage {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

/** Reads a line of /proc/PID/stat; fields are numbered as in proc(5). The name of a program may hold spaces and brackets. */
export function parseStat(line: string): ProcessStat {
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  const field = (number: number): number => {
    const value = Number(fields[number - 3]);
    if (!Number.isFinite(value)) throw new Error(`field ${number} of a stat line is not a number: ${line}`);
    return value;
  };
  return {
    pid: Number.parseInt(line, 10),
    parent: field(4),
    ticks: field(14) + field(15) + field(16) + field(17),
    pages: field(24),
  };
}

/** The process and all of its descendants. */
export function treeOf(stats: readonly ProcessStat[], root: number): readonly ProcessStat[] {
  const tree = stats.filter(({ pid }) => pid === root);
  for (const { pid } of tree) tree.push(...stats.filter(({ parent }) => parent === pid));
  return tree;
}

/** What a process and its descendants have used so far. Throws if it has ended. */
export function usageOf(pid: number): Usage {
  const tree = treeOf(allStats(), pid);
  if (tree.length === 0) throw new Error(`process ${pid} has ended`);
  const sum = (of: (stat: ProcessStat) => number) => tree.reduce((total, stat) => total + of(stat), 0);
  return {
    cpuSeconds: sum(({ ticks }) => ticks) / constant("CLK_TCK"),
    residentBytes: sum(({ pages }) => pages) * constant("PAGESIZE"),
  };
}

function allStats(): ProcessStat[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      return [parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"))];
    } catch {
      return []; // It ended since the folder was read.
    }
  });
}

const constants = new Map<string, number>();

function constant(name: "CLK_TCK" | "PAGESIZE"): number {
  const known = constants.get(name) ?? Number(execFileSync("getconf", [name], { encoding: "utf8" }));
  constants.set(name, known);
  return known;
}

/** Files that a process may have open at once, from the text of /proc/PID/limits: its hard limit, up to which Node and Go raise themselves. */
export function mostOpenFiles(limits: string): number {
  const [, , hard] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(limits) ?? [];
  return hard === "unlimited" ? Number.POSITIVE_INFINITY : Number(hard);
}
