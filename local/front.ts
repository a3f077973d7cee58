import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Certificate } from "./certificate.ts";

/** What listens for requests. */
export interface Front {
  readonly server: Server;
  /** Uses another certificate for connections from now on. Throws if it is not good, or the server has none. */
  setCertificate(certificate: Certificate): void;
}

/**
 * Milliseconds that an idle connection stays open: longer than a client or a proxy keeps it by default (nginx
 * `keepalive_timeout` and an Application Load Balancer: 60 s), or a request would meet its end.
 */
const KEEP_ALIVE = 75_000;

/** Makes an HTTP server, or an HTTPS server if there is a certificate. */
export function front(certificate: Certificate | undefined): Front {
  if (certificate === undefined) {
    return {
      server: createServer({ keepAliveTimeout: KEEP_ALIVE }),
      setCertificate() {
        throw new Error("the router was started without TLS");
      },
    };
  }
  const server = createTlsServer({ ...certificate, keepAliveTimeout: KEEP_ALIVE });
  return {
    server: server as Server,
    setCertificate: ({ cert, key }) => server.setSecureContext({ cert, key }),
  };
}
