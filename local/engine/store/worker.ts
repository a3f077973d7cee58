import { parentPort, workerData } from "node:worker_threads";
import { backUp } from "./back-up.ts";
import { connect } from "./driver.ts";
import { faultOf } from "./fault.ts";
import { filesOf } from "./folder.ts";
import { Reader } from "./reader.ts";
import type { Reply, Request, Task } from "./thread.ts";
import { openWriter, type Writer } from "./writer.ts";

/** The entry of a thread: SQLite waits for the disk here, and the sockets of the main thread do not. */
const task = workerData as Task;

function reply(act: () => boolean): void {
  const post = (message: Reply): void => parentPort?.postMessage(message);
  try {
    post({ value: act() });
  } catch (fault) {
    post({ fault: faultOf(fault, task.folder) });
  }
}

function verify(folder: string): void {
  const connection = connect(filesOf(folder).database, { readOnly: true });
  new Reader(connection, folder).verify();
  connection.close();
}

function act(writer: Writer, request: Request): boolean {
  if (request.kind === "expire") return writer.housekeeper.expire(request.now);
  if (request.kind === "commit") writer.commit(request.rows);
  else writer.close();
  return true;
}

function open(folder: string, maxBytes: number | undefined): boolean {
  const { writer, isVerified } = openWriter(folder, maxBytes);
  parentPort?.on("message", (request: Request) => {
    reply(() => act(writer, request));
    if (request.kind !== "close") writer.housekeeper.tidy();
  });
  return isVerified;
}

reply(() => {
  if (task.kind === "write") return open(task.folder, task.maxBytes);
  if (task.kind === "backUp") backUp(task.folder, task.path);
  else verify(task.folder);
  return true;
});
