/** Items that wait for a time each: a binary heap. */
export interface TimeHeap<T> {
  push(at: number, item: T): void;
  /** The earliest time. Undefined if the heap is empty. */
  first(): number | undefined;
  /** Takes the earliest item out if its time is `now` or before. */
  takeDue(now: number): T | undefined;
}

interface Timed<T> {
  readonly at: number;
  readonly item: T;
}

export function timeHeap<T>(): TimeHeap<T> {
  const heap: Timed<T>[] = [];
  const atOf = (index: number) => heap[index]?.at ?? Number.POSITIVE_INFINITY;

  const rise = (timed: Timed<T>) => {
    let index = heap.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.at <= timed.at) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = timed;
  };

  /** Puts the last item in the place of the first, and moves it down. */
  const sink = (last: Timed<T>) => {
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const child = atOf(left + 1) < atOf(left) ? left + 1 : left;
      const below = heap[child];
      if (below === undefined || below.at >= last.at) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
  };

  return {
    push: (at, item) => rise({ at, item }),
    first: () => heap[0]?.at,
    takeDue(now) {
      const [first] = heap;
      if (first === undefined || first.at > now) return undefined;
      const last = heap.pop();
      if (last !== undefined && heap.length > 0) sink(last);
      return first.item;
    },
  };
}
