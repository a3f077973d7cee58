import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { messageOf } from "../../shared/protocol/errors.ts";
import type { Held, Hold } from "./holder.ts";
import { mostOpenFiles } from "./proc.ts";
import { startServer } from "./server.ts";
import type { Variant } from "./variants.ts";

export interface IdleResult {
  readonly variant: string;
  readonly sockets: number;
  /** Of the server and its children. */
  readonly residentBytes: number;
  /** What each socket has added since the first hundreds; NaN after a fault. */
  readonly bytesPerSocket: number;
  readonly fault?: string;
}

/** Sockets that are there when counting begins, so that what a server loads for its first ones is not counted. */
const FIRST = 400;
export const SIZES = [10_000, 20_000] as const;
const HOLDERS = 4;
/** Milliseconds between the last handshake and the measurement. */
const SETTLE = 2_000;
/** Files a server has open beside its sockets, with room. */
const OWN_FILES = 200;

/** Sockets that can be measured where `wanted` are asked for: a process has a limit of open files, which this user may not raise. */
export const affordable = (wanted: number, openFiles: number): number =>
  Math.min(wanted, openFiles - OWN_FILES);

/** Memory of idle sockets, each subscribed to one topic of a hundred, on a fresh server. */
export async function idle(
  variant: Variant,
  { scale, data }: { readonly scale: number; readonly data: string },
): Promise<IdleResult[]> {
  const server = await startServer(variant, data);
  const openFiles = mostOpenFiles(readFileSync(`/proc/${server.pid}/limits`, "utf8"));
  const holders = Array.from({ length: HOLDERS }, () =>
    fork(resolve("bench/peers/holder.ts"), { execArgv: ["--import", "tsx"] }),
  );
  let held = 0;
  const growTo = async (sockets: number): Promise<number> => {
    const more = Math.floor((sockets - held) / HOLDERS);
    await Promise.all(
      holders.map((holder, i) =>
        ask(holder, {
          variant: variant.name,
          address: server.address,
          sockets: more,
          localAddress: `127.0.0.${i + 2}`,
        }),
      ),
    );
    held += more * HOLDERS;
    await pause(SETTLE);
    return server.usage().residentBytes;
  };
  const results: IdleResult[] = [];
  try {
    const before = await growTo(Math.ceil(FIRST * scale));
    const first = held;
    for (const size of SIZES) {
      const residentBytes = await growTo(affordable(Math.ceil(size * scale), openFiles));
      const bytesPerSocket = (residentBytes - before) / (held - first);
      results.push({ variant: variant.name, sockets: held, residentBytes, bytesPerSocket });
    }
  } catch (fault) {
    const message = messageOf(fault);
    const nothing = { residentBytes: Number.NaN, bytesPerSocket: Number.NaN };
    results.push({ variant: variant.name, sockets: held, ...nothing, fault: message });
  } finally {
    for (const holder of holders) holder.disconnect();
    await server.stop();
  }
  return results;
}

async function ask(holder: ChildProcess, hold: Hold): Promise<void> {
  holder.send(hold);
  const [{ fault }] = (await once(holder, "message")) as [Held];
  if (fault !== undefined) throw new Error(fault);
}
