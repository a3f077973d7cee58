import { pack, type Rows } from "./rows.ts";
import { SortedMap } from "./sorted-map.ts";
import { type Change, TABLES, type Table } from "./types.ts";

/** How long a change that nobody waits for may wait for company, in milliseconds. */
const LATER = 100;
/** How long what could not be kept waits before it is tried again by itself, in milliseconds. */
const RETRY = 1_000;

/** A change that is not known to be on the disk. */
export interface Unflushed {
  readonly change: Change;
  readonly isLater: boolean;
  /** What it replaced and is kept if the group fails. */
  under: Unflushed | undefined;
}

/** Changes that reach the disk together, and who waits for them. */
interface Group {
  readonly rows: Set<Unflushed>;
  waiters?: { readonly promise: Promise<void>; resolve(): void; reject(fault: unknown): void };
}

/** Collects changes while those before them are on their way to the disk: one group at a time. */
export class Groups {
  /** The last change of each row that is not known to be on the disk. */
  readonly unflushed: Readonly<Record<Table, SortedMap<Unflushed>>>;
  readonly #commit: (rows: Rows) => Promise<unknown>;
  #open: Group = { rows: new Set() };
  #sent: Group | undefined;
  #isScheduled = false;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(commit: (rows: Rows) => Promise<unknown>) {
    this.#commit = commit;
    this.unflushed = Object.fromEntries(
      TABLES.map((table) => [table, new SortedMap<Unflushed>()]),
    ) as unknown as Record<Table, SortedMap<Unflushed>>;
  }

  add(changes: readonly Change[], isLater: boolean): void {
    for (const change of changes) {
      const table = this.unflushed[change.table];
      const before = table.get(change.key);
      const isSameGroup = before !== undefined && this.#open.rows.delete(before);
      const under = isLater || !isSameGroup ? undefined : before.isLater ? before : before.under;
      const row = { change, isLater, under };
      table.set(change.key, row);
      this.#open.rows.add(row);
    }
    if (isLater) this.#wait(LATER);
  }

  /** Resolves once all that was added has reached the disk. */
  flushed(): Promise<void> {
    if (this.#open.rows.size > 0) {
      this.#schedule();
      return waitersOf(this.#open).promise;
    }
    return this.#sent === undefined ? Promise.resolve() : waitersOf(this.#sent).promise;
  }

  /** From now on nothing is tried again by itself. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** What else arrived with the same turn of the event loop goes with it. */
  #schedule(): void {
    if (this.#isScheduled || this.#sent !== undefined) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#send();
    });
  }

  #wait(milliseconds: number): void {
    if (this.#sent !== undefined || this.#isClosed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#send();
    }, milliseconds);
  }

  #send(): void {
    if (this.#sent !== undefined || this.#open.rows.size === 0) return;
    const group = this.#open;
    this.#sent = group;
    this.#open = { rows: new Set() };
    this.#commit(pack([...group.rows].map(({ change }) => change))).then(
      () => this.#kept(group),
      (fault: unknown) => this.#failed(group, fault),
    );
  }

  #kept(group: Group): void {
    this.#sent = undefined;
    for (const row of group.rows) {
      const { table, key } = row.change;
      if (this.unflushed[table].get(key) === row) this.unflushed[table].delete(key);
    }
    group.waiters?.resolve();
    if (this.#open.waiters !== undefined) this.#send();
    else if (this.#open.rows.size > 0) this.#wait(LATER);
  }

  #failed(group: Group, fault: unknown): void {
    this.#sent = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (![...group.rows].every(({ isLater }) => isLater)) {
      this.#undo(group, fault);
      // What is left may be kept alone: removals make room.
      this.#send();
      return;
    }
    this.#putBack(group);
    group.waiters?.reject(fault);
    if (this.#open.waiters !== undefined) this.#send();
    else this.#wait(RETRY);
  }

  /** Undoes all that somebody waits for, that of the next group too: it may stand on what has failed. */
  #undo(group: Group, fault: unknown): void {
    const next = this.#open;
    this.#open = { rows: new Set() };
    for (const { change } of [...group.rows, ...next.rows]) this.unflushed[change.table].delete(change.key);
    for (const row of [...group.rows, ...next.rows]) {
      const kept = row.isLater ? row : row.under;
      if (kept !== undefined) this.add([kept.change], true);
    }
    group.waiters?.reject(fault);
    next.waiters?.reject(fault);
  }

  /** Lets the changes go with the next group, if it does not replace them. */
  #putBack(group: Group): void {
    for (const row of group.rows) {
      const now = this.unflushed[row.change.table].get(row.change.key);
      if (now === row) this.#open.rows.add(row);
      else if (now?.isLater === false) now.under ??= row;
    }
  }
}

function waitersOf(group: Group): NonNullable<Group["waiters"]> {
  if (group.waiters !== undefined) return group.waiters;
  let resolve = (): void => {};
  let reject = (_: unknown): void => {};
  const promise = new Promise<void>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  group.waiters = { promise, resolve, reject };
  return group.waiters;
}
