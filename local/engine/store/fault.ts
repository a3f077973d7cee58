import { type ErrorCode, messageOf, TagwireError } from "../../../shared/protocol/errors.ts";
import { sqliteCode } from "./driver.ts";

/** A fault in words that pass from one thread to another. */
export interface Fault {
  readonly code: ErrorCode;
  readonly detail: string;
}

const DAMAGE = /^SQLITE_(CORRUPT|NOTADB|IOERR_SHORT_READ)/;

const CANNOT_OPEN = /^(SQLITE_READONLY|SQLITE_CANTOPEN|EACCES|EPERM|EROFS)/;
const NO_FOLDER = /^(ENOTDIR|EEXIST)$/;

const errno = (fault: unknown): string =>
  fault instanceof Error && "code" in fault ? String(fault.code) : "";

/** Names what went wrong with the files of a folder. */
export function faultOf(fault: unknown, folder: string): Fault {
  if (fault instanceof TagwireError) return { code: fault.code, detail: fault.message };
  const code = sqliteCode(fault);
  const said = code === undefined ? messageOf(fault) : `${code}: ${messageOf(fault)}`;
  if (DAMAGE.test(code ?? "")) return damage(folder, said);
  if (CANNOT_OPEN.test(code ?? errno(fault)))
    return { code: "STORE_READ_ONLY", detail: `${folder} cannot be written by this user (${said})` };
  if (NO_FOLDER.test(errno(fault)))
    return { code: "STORE_FOREIGN", detail: `${folder} is not a folder (${said})` };
  return { code: "STORE_UNAVAILABLE", detail: `${folder} cannot be written or read (${said})` };
}

export const damage = (folder: string, what: string): Fault => ({
  code: "STORE_DAMAGED",
  detail: `the data in ${folder} is damaged: ${what}. Nothing was changed; restore a backup, or move the folder away to start anew`,
});

export const thrown = ({ code, detail }: Fault): TagwireError => new TagwireError(code, detail);
