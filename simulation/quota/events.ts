/** Callbacks by virtual time, in milliseconds. */
export interface Events {
  now(): number;
  at(time: number, callback: () => void): void;
  /** Runs all callbacks up to `end`. Promises go on at least once in a millisecond. */
  run(end: number): Promise<void>;
}

interface Event {
  readonly time: number;
  readonly order: number;
  readonly callback: () => void;
}

const before = (a: Event, b: Event) => a.time < b.time || (a.time === b.time && a.order < b.order);

export function events(): Events {
  const heap: Event[] = [];
  let now = 0;
  let order = 0;
  return {
    now: () => now,
    at(time, callback) {
      push(heap, { time: Math.max(now, time), order: order++, callback });
    },
    async run(end) {
      let settledAt = Number.NEGATIVE_INFINITY;
      for (;;) {
        const next = heap[0];
        const time = Math.min(next?.time ?? end, end);
        if (time - settledAt >= 1 || !next || next.time > end) {
          settledAt = time;
          await new Promise(setImmediate);
          // What went on meanwhile may come earlier.
          if (heap[0] !== next) continue;
        }
        if (!next || next.time > end) break;
        pop(heap);
        now = next.time;
        next.callback();
      }
      now = end;
    },
  };
}

function push(heap: Event[], event: Event): void {
  let at = heap.push(event) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent] as Event;
    if (!before(event, above)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = event;
}

function pop(heap: Event[]): void {
  const last = heap.pop();
  if (!last || heap.length === 0) return;
  let at = 0;
  for (;;) {
    const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]];
    if (!left) break;
    const child = right && before(right, left) ? 2 * at + 2 : 2 * at + 1;
    const below = heap[child] as Event;
    if (!before(below, last)) break;
    heap[at] = below;
    at = child;
  }
  heap[at] = last;
}
