import { createServer, type Server } from "node:http";

/**
 * A server that takes POST /publish with `{topic, data}` and answers 202. It listens where PORT says, and ends with its
 * parent, whose end of its standard input closes then.
 */
export function servePublish(publish: (topic: string, data: unknown) => void): Server {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { topic, data } = JSON.parse(Buffer.concat(chunks).toString());
      publish(topic, data);
      response.writeHead(202, { "content-type": "application/json" }).end("{}");
    });
  });
  server.listen(Number(process.env.PORT), "127.0.0.1");
  endWithParent();
  return server;
}

export function endWithParent(): void {
  process.stdin.resume().on("end", () => process.exit());
}
