import type { WebSocketConstructor, WebSocketLike } from "../../../client/index.ts";

/** The way to the router, which can be cut: then sockets are lost without a close, and none opens. */
export interface Network {
  readonly WebSocket: WebSocketConstructor;
  readonly isCut: () => boolean;
  cut(): void;
  /** Tells the page that it is online again, as a browser does. */
  restore(): void;
}

export function network(): Network {
  const wires = new Set<Wire>();
  let isCut = false;

  class Wire implements WebSocketLike {
    onopen: WebSocketLike["onopen"] = null;
    onmessage: WebSocketLike["onmessage"] = null;
    onclose: WebSocketLike["onclose"] = null;
    onerror: WebSocketLike["onerror"] = null;
    readonly #socket: WebSocket | undefined;

    constructor(url: string, protocols: string[]) {
      if (isCut) {
        setTimeout(() => this.lose());
        return;
      }
      const socket = new WebSocket(url, protocols);
      this.#socket = socket;
      wires.add(this);
      socket.onopen = (event) => this.onopen?.(event as never);
      socket.onmessage = (event) => this.onmessage?.(event as never);
      socket.onerror = (event) => this.onerror?.(event as never);
      socket.onclose = (event) => {
        wires.delete(this);
        this.onclose?.(event as never);
      };
    }

    send(text: string): void {
      this.#socket?.send(text);
    }

    close(code?: number): void {
      this.#socket?.close(code);
    }

    lose(): void {
      const socket = this.#socket;
      wires.delete(this);
      if (socket) {
        socket.onopen = socket.onmessage = socket.onerror = socket.onclose = null;
        socket.close();
      }
      this.onclose?.(new CloseEvent("close", { code: 1006, reason: "cut on this page" }) as never);
    }
  }

  return {
    WebSocket: Wire,
    isCut: () => isCut,
    cut() {
      isCut = true;
      for (const wire of [...wires]) wire.lose();
    },
    restore() {
      isCut = false;
      window.dispatchEvent(new Event("online"));
    },
  };
}
