import type { Streams } from "../../shared/ports.ts";
import type { Oracle } from "../oracle/oracle.ts";
import type { Poison } from "./poison.ts";
import type { Actor } from "./scheduler.ts";
import { type TableWorld, tableCall } from "./table-call.ts";

export interface StreamPortsWorld extends TableWorld {
  readonly oracle: Pick<Oracle, "appended" | "started" | "emptied">;
  readonly poison: Poison;
  readonly tables: { readonly streams: Streams };
}

/** The table of streams, as one function sees it. */
export function streamsOf(world: StreamPortsWorld, actor: Actor): Streams {
  const { oracle, poison, faults } = world;
  const { streams } = world.tables;
  const call = tableCall(world, actor);
  return {
    last: (stream) => call(`last ${stream}`, () => streams.last(stream)),
    root: (stream) => call(`root ${stream}`, () => streams.root(stream)),
    read: (stream, from, to) => call(`read ${stream} ${from}`, () => streams.read(stream, from, to)),
    append(stream, row) {
      poison.strike(actor);
      const put = async () => {
        const inTheWay = await streams.append(stream, row);
        if (!inTheWay) oracle.appended(stream, row);
        return inTheWay;
      };
      return call(`append ${stream} ${row.seq}`, put, faults.strikes("append-late"));
    },
    start: (stream, root, seen) =>
      call(`start ${stream} ${root.next}`, async () => {
        const isWritten = await streams.start(stream, root, seen);
        if (isWritten) oracle.started(stream, root);
        return isWritten;
      }),
    empty: (stream, place) =>
      call(`empty ${stream} ${place.seq} + ${place.index}`, async () => {
        const isEmptied = await streams.empty(stream, place);
        if (isEmptied) oracle.emptied(stream, place.seq + place.index);
        return isEmptied;
      }),
  };
}
