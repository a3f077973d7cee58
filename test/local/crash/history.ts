import { type Scene, STREAM } from "./scene.ts";

/** Reads all that the stream has, over HTTP: numbers and data, as they are kept. */
export async function readKept({
  url,
  token,
}: Scene): Promise<readonly (readonly [seq: number, n: number])[]> {
  const kept: [number, number][] = [];
  for (let since = 1; ; ) {
    const ask = () =>
      fetch(`${url}/v1/history?topic=${STREAM}&since=${since}`, {
        headers: { authorization: `Bearer ${token}` },
      });
    // The connection was idle, and may end in that moment.
    const response = await ask().catch(ask);
    const page = (await response.json()) as Page;
    if (response.status !== 200) throw new Error(`history: ${response.status}: ${JSON.stringify(page)}`);
    for (const { seq, data } of page.messages) kept.push([seq, Number(data)]);
    if (!page.more) return kept;
    since = page.position;
  }
}

interface Page {
  readonly messages: readonly { readonly seq: number; readonly data: unknown }[];
  readonly position: number;
  readonly more: boolean;
}
