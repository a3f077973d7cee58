import { once } from "node:events";
import { WebSocket } from "ws";

/** A socket that keeps the frames it got until someone asks for them, so that no test can miss one. */
export interface Listener<Frame> {
  readonly socket: WebSocket;
  /** The next frame, past ones first. Rejects where there will be none. */
  next(): Promise<Frame>;
  /** The frames that nobody has asked for yet. */
  buffered(): readonly Frame[];
  /** The code of its close. */
  readonly closed: Promise<number>;
}

/** Opens a socket; `read` makes a frame of a text. */
export async function openSocket<Frame>(
  url: string,
  protocols: readonly string[],
  read: (text: string) => Frame,
): Promise<Listener<Frame>> {
  const socket = new WebSocket(url, [...protocols]);
  const frames: Frame[] = [];
  const waiting: { give(frame: Frame): void; fail(fault: Error): void }[] = [];
  socket.on("message", (data, isBinary) => {
    const frame = read(isBinary ? "binary" : String(data));
    const waiter = waiting.shift();
    if (waiter) waiter.give(frame);
    else frames.push(frame);
  });
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  const ended = (code: number) =>
    new Error(`the socket was closed with ${code}, and nothing is left to read`);
  void closed.then((code) => {
    for (const waiter of waiting.splice(0)) waiter.fail(ended(code));
  });
  await once(socket, "open");
  // From here on a fault ends in the close.
  socket.on("error", () => {});
  const next = async (): Promise<Frame> => {
    if (frames.length > 0) return frames.splice(0, 1)[0] as Frame;
    if (socket.readyState === socket.CLOSED) throw ended(await closed);
    return new Promise((give, fail) => waiting.push({ give, fail }));
  };
  return { socket, closed, next, buffered: () => frames };
}

/** The status and body with which a socket is refused. */
export function refused(
  url: string,
  protocols: readonly string[] = [],
): Promise<{ status?: number; body: string }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, [...protocols]);
    socket.on("error", reject);
    socket.on("open", () => {
      socket.terminate();
      reject(new Error("it was not refused"));
    });
    socket.on("unexpected-response", async (_, response) => {
      let body = "";
      for await (const chunk of response) body += chunk;
      resolve({ ...(response.statusCode === undefined ? {} : { status: response.statusCode }), body });
    });
  });
}
