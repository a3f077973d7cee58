import { createServer } from "node:http";
import { listen } from "../../local/listen.ts";
import { serveParent } from "../child.ts";

export interface GatewayReady {
  readonly endpoint: string;
}

let posts = 0;
const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  request.resume();
  request.on("end", () => {
    posts++;
    response.writeHead(200, { "content-length": "0" }).end();
  });
});

/** Takes every post; answers how many it has taken. */
serveParent<GatewayReady, "posts", number>(
  { endpoint: `http://127.0.0.1:${await listen(server)}/prod` },
  () => posts,
);
