import { setTimeout as pause } from "node:timers/promises";

export interface Bounds {
  readonly messages: number;
  /** Milliseconds after which no more messages begin, so that a slow server ends too. */
  readonly atMost: number;
}

/** Delivers messages, `inFlight` of them under way at all times. Returns how many. */
export async function keepInFlight(
  deliver: () => Promise<void>,
  { messages, atMost, inFlight }: Bounds & { readonly inFlight: number },
): Promise<number> {
  const end = performance.now() + atMost;
  let begun = 0;
  const line = async () => {
    while (begun < messages && performance.now() < end) {
      begun++;
      await deliver();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, line));
  return begun;
}

/** Delivers messages at a fixed rate, whatever becomes of those before. Returns how many. */
export async function keepRate(
  deliver: () => Promise<void>,
  { messages, atMost, perSecond }: Bounds & { readonly perSecond: number },
): Promise<number> {
  const began = performance.now();
  const all: Promise<void>[] = [];
  let fault: unknown;
  while (all.length < messages && fault === undefined) {
    const elapsed = performance.now() - began;
    if (elapsed > atMost) break;
    const due = Math.min(messages, Math.floor((elapsed / 1000) * perSecond) + 1);
    while (all.length < due) {
      const delivered = deliver();
      delivered.catch((reason) => {
        fault ??= reason;
      });
      all.push(delivered);
    }
    await pause(Math.max(0, (all.length / perSecond) * 1000 - (performance.now() - began)));
  }
  await Promise.all(all);
  return all.length;
}
