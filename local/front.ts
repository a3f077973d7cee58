import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import type { Certificate } from "./certificate.ts";
import { shut } from "./listen.ts";

/** What listens for requests. */
export interface Front {
  readonly server: Server;
  /** Uses another certificate for connections from now on. Throws if it is not good, or the server has none. */
  setCertificate(certificate: Certificate): void;
  /** Closes it and every connection to it. */
  shut(): Promise<void>;
}

/**
 * Milliseconds that an idle connection stays open: longer than a client or a proxy keeps it by default (nginx
 * `keepalive_timeout` and an Application Load Balancer: 60 s), or a request would meet its end.
 */
const KEEP_ALIVE = 75_000;

/** Makes an HTTP server, or an HTTPS server if there is a certificate. */
export function front(certificate: Certificate | undefined): Front {
  if (certificate === undefined) {
    const server = createServer({ keepAliveTimeout: KEEP_ALIVE });
    return {
      server,
      setCertificate() {
        throw new Error("the router was started without TLS");
      },
      shut: () => shut(server),
    };
  }
  const server = createTlsServer({ ...certificate, keepAliveTimeout: KEEP_ALIVE });
  /** Node's own list has none of them before their handshake is over. */
  const shaking = new Map<string, Socket>();
  server.on("connection", (tcp: Socket) => {
    const name = nameOf(tcp);
    shaking.set(name, tcp);
    tcp.once("close", () => {
      if (shaking.get(name) === tcp) shaking.delete(name);
    });
  });
  server.on("secureConnection", (tls) => shaking.delete(nameOf(tls)));
  return {
    server: server as Server,
    setCertificate: ({ cert, key }) => server.setSecureContext({ cert, key }),
    shut() {
      const closed = shut(server as Server);
      for (const tcp of shaking.values()) tcp.destroy();
      return closed;
    },
  };
}

/** What two connections at a time do not share. */
const nameOf = ({ localAddress, remoteAddress, remotePort }: Socket): string =>
  `${localAddress} ${remoteAddress} ${remotePort}`;
