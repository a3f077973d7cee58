import { Agent, request } from "node:http";
import { Pool } from "undici";

/** POSTs without a signature: what undici does at best, so what no signed path can reach. */
export function unsignedPost(endpoint: string, connections: number) {
  const { origin, pathname } = new URL(endpoint);
  const pool = new Pool(origin, { connections });
  const post = (id: string, body: Uint8Array): Promise<number> =>
    new Promise((resolve, reject) => {
      let answered = 0;
      const path = `${pathname}/@connections/${encodeURIComponent(id)}`;
      const headers = { "content-type": "application/octet-stream" };
      pool.dispatch(
        { path, method: "POST", headers, body },
        {
          onRequestStart() {},
          onResponseStart: (_controller, status) => {
            answered = status;
          },
          onResponseData() {},
          onResponseEnd: () => resolve(answered),
          onResponseError: (_controller, fault) => reject(fault),
        },
      );
    });
  return { post, destroy: () => pool.destroy() };
}

/** The same through Node's own client, which a function has loaded already. */
export function unsignedNodePost(endpoint: string, connections: number) {
  const { hostname: host, port, pathname } = new URL(endpoint);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const post = (id: string, body: Uint8Array): Promise<number> =>
    new Promise((resolve, reject) => {
      const path = `${pathname}/@connections/${encodeURIComponent(id)}`;
      const headers = { "content-type": "application/octet-stream", "content-length": body.length };
      request({ host, port, path, method: "POST", headers, agent }, (response) => {
        response.resume().on("end", () => resolve(response.statusCode ?? 0));
      })
        .on("error", reject)
        .end(body);
    });
  return { post, destroy: () => agent.destroy() };
}
