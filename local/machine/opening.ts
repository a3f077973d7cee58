import type { Connection } from "../../shared/connections/connection.ts";
import { NOBODY, presence } from "./presence.ts";
import { openPresenceFile, type PresenceFile } from "./presence-file.ts";

export interface OpeningOptions {
  /** The folder of the data. Absent: there was no process before, and there is none after. */
  readonly folder: string | undefined;
  readonly reconnectSeconds: number;
}

/**
 * When the lanes of a process open. Nobody is connected at first, so a message that is served at once finds nobody: they
 * wait until everyone is back who was connected when the process before ended, or for `reconnectSeconds`.
 */
export interface Opening {
  /** A row of a connection has changed. */
  changed(before: Connection | undefined, after: Connection | undefined): void;
  /** Calls back when the lanes may open: at once if no client is to be waited for and no message waits. */
  begin(isWaiting: boolean, open: () => void): void;
  isOpen(): boolean;
  /** The lanes stay as they are, and whoever goes from now on is expected back. */
  stop(): void;
  close(): void;
}

/** What the file says while the lanes wait: some are back, and others not yet. */
const SOME = "some";

export function opening({ folder, reconnectSeconds }: OpeningOptions): Opening {
  const file: PresenceFile | undefined = folder === undefined ? undefined : openPresenceFile(folder);
  const expected = file?.before || NOBODY;
  const present = presence();
  let isOpen = false;
  let isLooking = false;
  /** While they wait. */
  let timer: NodeJS.Timeout | undefined;
  let open = () => {};

  const openNow = () => {
    clearTimeout(timer);
    timer = undefined;
    isOpen = true;
    file?.write(present.text());
    open();
  };
  /** Once a turn of the event loop, after the lists have followed the rows. */
  const look = () => {
    isLooking = false;
    if (isOpen) file?.write(present.text());
    else if (timer !== undefined && expected !== NOBODY && present.text() === expected) openNow();
  };

  return {
    changed(before, after) {
      present.changed(before, after);
      if (isLooking || file === undefined) return;
      isLooking = true;
      setImmediate(look);
    },
    begin(isWaiting, callback) {
      open = callback;
      if (!isWaiting && expected === NOBODY) return openNow();
      file?.write(SOME);
      timer = setTimeout(openNow, reconnectSeconds * 1_000);
    },
    isOpen: () => isOpen,
    stop() {
      clearTimeout(timer);
      timer = undefined;
      isOpen = false;
    },
    close: () => file?.close(),
  };
}
