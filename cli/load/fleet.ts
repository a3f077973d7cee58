import { setTimeout as pause } from "node:timers/promises";
import { Failure } from "../failure.ts";
import type { Io } from "../io.ts";
import type { Progress } from "../progress.ts";
import { socketUrl } from "../router.ts";
import { callerToken } from "../token.ts";
import type { Ledger } from "./ledger.ts";
import { open } from "./socket.ts";

/** The sockets that opened. */
export interface Fleet {
  readonly closers: readonly (() => Promise<void>)[];
  /** How many were cut so far. */
  cut(): number;
  /** How many did not open, by the reason. */
  readonly failed: Readonly<Record<string, number>>;
}

export interface Surroundings {
  readonly bar: Progress;
  readonly books: Pick<Ledger, "cut">;
  readonly until: AbortSignal;
  readonly topicOf: (socket: number) => string;
}

/**
 * Opens sockets at a rate, and waits until each is subscribed or has failed. Throws a Failure where none opened.
 * Those that did not open, and those that were cut, are taken out of the books.
 */
export async function openAll(
  io: Io,
  { sockets, connectRate }: { readonly sockets: number; readonly connectRate: number },
  { bar, books, until, topicOf }: Surroundings,
  onMessage: (socket: number, id: string) => void,
): Promise<Fleet> {
  const url = socketUrl(io);
  const closers: (() => Promise<void>)[] = [];
  const failed: Record<string, number> = {};
  let cut = 0;
  const began = performance.now();
  const openings: Promise<void>[] = [];
  for (let socket = 0; socket < sockets && !until.aborted; socket++) {
    const due = began + (socket * 1000) / connectRate;
    const early = due - performance.now();
    if (early > 1) await pause(early, undefined, { signal: until }).catch(() => undefined);
    const token = await callerToken(io, `load-${socket}`);
    const opening = open({
      url,
      token,
      topic: topicOf(socket),
      onMessage: (id) => onMessage(socket, id),
      onCut() {
        cut += 1;
        books.cut(socket);
      },
    }).then(
      (close) => {
        closers.push(close);
        bar.show(closers.length, sockets, `${closers.length} of ${sockets} sockets open`);
      },
      (fault: Error) => {
        books.cut(socket);
        failed[fault.message] = (failed[fault.message] ?? 0) + 1;
      },
    );
    openings.push(opening);
  }
  await Promise.all(openings);
  for (let socket = openings.length; socket < sockets; socket++) books.cut(socket);
  const [why] = Object.keys(failed);
  if (closers.length === 0 && why !== undefined) throw new Failure(`no socket opened: ${why}`);
  return { closers, failed, cut: () => cut };
}
