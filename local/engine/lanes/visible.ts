import type { LaneEntry } from "./entry.ts";

/** The entries of a lane that can be taken. */
export interface Visible {
  push(entry: LaneEntry): void;
  /** Takes the next one out, in the order of `push`; of several producers in turn. */
  shift(): LaneEntry | undefined;
}

/** The entries of one producer: a linked list, itself a link of the ring of producers. */
interface Turn {
  readonly producer: string;
  head: LaneEntry;
  tail: LaneEntry;
  next: Turn;
}

/** If it is `fair`, producers take turns, so that one with many entries does not delay the others. */
export function visibleEntries(fair: boolean): Visible {
  const turns = new Map<string, Turn>();
  /** The producer that was served last; the ring goes on with its `next`. */
  let last: Turn | undefined;

  const join = (producer: string, entry: LaneEntry) => {
    const turn = { producer, head: entry, tail: entry } as Turn;
    turn.next = last?.next ?? turn;
    if (last) last.next = turn;
    last = turn;
    turns.set(producer, turn);
  };

  const leave = (turn: Turn, before: Turn) => {
    turns.delete(turn.producer);
    before.next = turn.next;
    last = turn === before ? undefined : before;
  };

  return {
    push(entry) {
      const producer = fair ? entry.producer : "";
      const turn = turns.get(producer);
      entry.next = undefined;
      if (turn === undefined) return join(producer, entry);
      turn.tail.next = entry;
      turn.tail = entry;
    },
    shift() {
      if (last === undefined) return undefined;
      const turn = last.next;
      const entry = turn.head;
      if (entry.next === undefined) leave(turn, last);
      else {
        turn.head = entry.next;
        last = turn;
      }
      entry.next = undefined;
      return entry;
    },
  };
}
