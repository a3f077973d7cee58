import { type Connection, connect, sqliteCode } from "./driver.ts";
import { thrown } from "./fault.ts";

/** Takes the folder for this process. The system frees it when the process ends, however it does. */
export function lock(folder: string, path: string): Connection {
  const connection = connect(path);
  try {
    connection.exec("BEGIN EXCLUSIVE");
    return connection;
  } catch (fault) {
    connection.close();
    if (sqliteCode(fault)?.startsWith("SQLITE_BUSY") !== true) throw fault;
    throw thrown({
      code: "STORE_IN_USE",
      detail: `${folder} is used by another process; end that one, or name another folder`,
    });
  }
}
