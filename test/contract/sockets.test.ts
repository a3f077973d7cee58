import { describe } from "vitest";
import type { CallbackCall } from "../../local/testing/fault.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";
import { memorySockets } from "../../testing/memory/sockets.ts";
import { WAYS } from "../adapters/ways.ts";
import { open as openSocket, startTiny } from "../local/support.ts";
import { socketsContract } from "./sockets.ts";

describe("sockets in memory", () =>
  socketsContract(async () => {
    const sockets = memorySockets();
    let count = 0;
    return {
      sockets,
      fail: (id, kind) => sockets.fail(id, kind === "gone" ? { kind } : { kind, reason: "told to" }),
      failClose: (id, kind) =>
        sockets.failClose(id, kind === "gone" ? { kind } : { kind, reason: "told to" }),
      async connect() {
        const id = `c${++count}=` as ConnectionId;
        sockets.open(id);
        let read = 0;
        return {
          id,
          next: async () => sockets.frames(id)[read++] ?? "",
          buffered: () => sockets.frames(id).slice(read),
          close: () => sockets.close(id),
          closed: async () => {},
        };
      },
    };
  }));

const STATUS = { gone: 410, throttled: 429, unavailable: 503, refused: 413 };

describe.each(Object.entries(WAYS))("sockets behind API Gateway, by %s", (_name, socketsBy) =>
  socketsContract(async () => {
    const { seen, socketUrl, spy, settings } = await startTiny();
    const { consume: runtime } = seen.worlds;
    if (!runtime) throw new Error("the consumer was not made");
    return {
      sockets: socketsBy(runtime, runtime.env.SOCKET_ENDPOINT ?? "", settings.advanced),
      fail: (id, kind) => spy.failSends(id, [STATUS[kind]]),
      failClose: (id, kind) => {
        let met = false;
        const concerns = ({ method, connectionId }: CallbackCall) => {
          if (met || method !== "DELETE" || connectionId !== id) return false;
          met = true;
          return true;
        };
        spy.startOutage(STATUS[kind], { concerns });
      },
      async connect() {
        const known = spy.connections().length;
        const { socket, next, buffered, closed } = await openSocket(socketUrl);
        const connectionId = spy.connections()[known] as ConnectionId;
        return {
          id: connectionId,
          next,
          buffered,
          closed: () => closed,
          async close() {
            socket.close();
            await closed;
            await spy.waitFor({ kind: "disconnected", connectionId });
          },
        };
      },
    };
  }));
