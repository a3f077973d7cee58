import type { IncomingMessage } from "node:http";

/** Reads a body to its end. Undefined where it has more bytes than the limit; the rest is read and dropped. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
    else chunks.length = 0;
  }
  if (size > limit) return undefined;
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}
