/** A binary heap. */
export interface Heap<T> {
  push(item: T): void;
  /** Returns the item that no other is before. Undefined if the heap is empty. */
  first(): T | undefined;
  /** Takes that item out. */
  pop(): T | undefined;
}

export function heap<T extends object>(isBefore: (a: T, b: T) => boolean): Heap<T> {
  const items: T[] = [];

  /** Puts an item in the place of the first, and moves it down. */
  const sink = (item: T): void => {
    let at = 0;
    for (;;) {
      const left = items[2 * at + 1];
      const right = items[2 * at + 2];
      const isRight = left !== undefined && right !== undefined && isBefore(right, left);
      const below = isRight ? right : left;
      if (below === undefined || !isBefore(below, item)) break;
      items[at] = below;
      at = 2 * at + (isRight ? 2 : 1);
    }
    items[at] = item;
  };

  return {
    push(item) {
      let at = items.length;
      while (at > 0) {
        const parent = (at - 1) >> 1;
        const above = items[parent];
        if (above === undefined || !isBefore(item, above)) break;
        items[at] = above;
        at = parent;
      }
      items[at] = item;
    },
    first: () => items[0],
    pop() {
      const first = items[0];
      const last = items.pop();
      if (last !== undefined && items.length > 0) sink(last);
      return first;
    },
  };
}
