import type { Readable } from "node:stream";

/** Reads a stream to its end. That of `node:stream/consumers` goes through a Blob, which costs as much as the call. */
export async function bytes(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
