/** Which of so many that could go on goes on. */
export type Choose = (candidates: number) => number;

/** Makes each call of a port a step that waits for its turn. */
export type Stepwise = <Port extends object>(port: Port) => Port;

/** Stops an actor for good after so many steps, as a run that is killed. */
export interface Death {
  readonly actor: number;
  readonly after: number;
}

/**
 * Runs actors side by side, one step of one of them at a time. Returns what each returned, in order; undefined for one
 * that died.
 */
export async function interleave<T>(
  actors: readonly ((stepwise: Stepwise) => Promise<T>)[],
  choose: Choose,
  death?: Death,
): Promise<(T | undefined)[]> {
  const waiting = new Map<number, () => void>();
  const steps = actors.map(() => 0);
  const results: (T | undefined)[] = actors.map(() => undefined);
  let rested = () => {};
  const rest = () =>
    new Promise<void>((resolve) => {
      rested = resolve;
    });

  const stepwise =
    (actor: number): Stepwise =>
    (port) => {
      const calls = Object.entries(port).map(([name, call]) => [
        name,
        async (...args: unknown[]) => {
          await new Promise<void>((go) => {
            waiting.set(actor, go);
            rested();
          });
          return call(...args);
        },
      ]);
      return Object.fromEntries(calls);
    };

  const faults: unknown[] = [];
  for (const [actor, run] of actors.entries()) {
    const rests = rest();
    void run(stepwise(actor))
      .then((value) => {
        results[actor] = value;
      })
      .catch((fault: unknown) => void faults.push(fault))
      .finally(() => rested());
    await rests;
  }
  for (;;) {
    const ready = [...waiting.keys()]
      .filter((actor) => !(actor === death?.actor && steps[actor] === death.after))
      .sort();
    const [first] = ready;
    if (first === undefined) break;
    const actor = ready.length === 1 ? first : (ready[choose(ready.length)] ?? first);
    const go = waiting.get(actor);
    waiting.delete(actor);
    steps[actor] = (steps[actor] ?? 0) + 1;
    const rests = rest();
    go?.();
    await rests;
  }
  if (faults.length > 0) throw faults[0];
  return results;
}

/** Runs something once for each way in which its choices can be made, and returns how many there are. */
export async function inEveryOrder(run: (choose: Choose) => Promise<void>): Promise<number> {
  const path: { taken: number; readonly of: number }[] = [];
  for (let count = 1; ; count++) {
    let depth = 0;
    await run((of) => {
      if (depth === path.length) path.push({ taken: 0, of });
      return path[depth++]?.taken ?? 0;
    });
    while (path.length > 0 && path.at(-1)?.taken === (path.at(-1)?.of ?? 0) - 1) path.pop();
    const last = path.at(-1);
    if (!last) return count;
    last.taken++;
  }
}
