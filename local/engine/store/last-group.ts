import { closeSync, constants, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { damage, thrown } from "./fault.ts";

/** The file that says which group reached the disk last. It is written after each sync, so it may be behind, and never ahead. */
export interface LastGroup {
  /** 0 if the file is new. */
  readonly number: number;
  write(number: number): void;
  close(): void;
}

const DIGITS = 16;
const LENGTH = DIGITS + 1 + 8 + 1;

/** Opens the file. Throws a TagwireError (STORE_DAMAGED) if it is not as it was written. */
export function openLastGroup(folder: string, path: string): LastGroup {
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  const buffer = Buffer.alloc(LENGTH + 1);
  const length = readSync(file, buffer, 0, buffer.length, 0);
  const text = buffer.toString("latin1", 0, length);
  const number = Number(text.slice(0, DIGITS));
  if (length > 0 && text !== encoded(number)) {
    closeSync(file);
    throw thrown(damage(folder, `${path} is not as it was written`));
  }
  const write = (next: number): void => void writeSync(file, encoded(next), 0, "latin1");
  if (length === 0) {
    write(0);
    fsyncSync(file);
  }
  return { number, write, close: () => closeSync(file) };
}

function encoded(number: number): string {
  const digits = String(number).padStart(DIGITS, "0");
  return `${digits} ${crc32(digits).toString(16).padStart(8, "0")}\n`;
}
