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

function verify(): void {
  const connection = connect(filesOf(task.folder).database, { readOnly: true });
  new Reader(connection, task.folder).verify();
  connection.close();
}

function act(writer: Writer, request: Request): boolean {
  if (request.kind === "expire") return writer.housekeeper.expire(request.now);
  if (request.kind === "commit") writer.commit(request.rows);
  else writer.close();
  return true;
}

if (task.kind === "verify") reply(() => (verify(), true));
else if (task.kind === "backUp") reply(() => (backUp(task.folder, task.path), true));
else
  reply(() => {
    const { writer, isVerified } = openWriter(task.folder, task.maxBytes);
    parentPort?.on("message", (request: Request) => {
      reply(() => act(writer, request));
      if (request.kind !== "close") writer.housekeeper.tidy();
    });
    return isVerified;
  });
