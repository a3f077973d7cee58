import type { Kind, LineOf } from "../../shared/moving/line.ts";
import type { NumberedLine } from "../../shared/moving/reader.ts";

/** Lines of one kind that follow one another. */
export type Batch = {
  readonly [K in Kind]: {
    readonly kind: K;
    readonly lines: readonly LineOf<K>[];
    /** The number of its last line. */
    readonly last: number;
  };
}[Kind];

/** The most lines and bytes of one batch. */
const LINES = 100;
const BYTES = 4_194_304;

/** Gathers lines of one kind: as many as are carried at once. */
export async function* batchesOf(lines: AsyncIterable<NumberedLine>): AsyncGenerator<Batch> {
  let batch: NumberedLine[] = [];
  let bytes = 0;
  const gathered = (): Batch => {
    const taken = {
      kind: batch[0]?.line.kind,
      lines: batch.map(({ line }) => line),
      last: batch.at(-1)?.number ?? 0,
    };
    [batch, bytes] = [[], 0];
    return taken as Batch;
  };
  for await (const next of lines) {
    const isOther = batch.length > 0 && batch[0]?.line.kind !== next.line.kind;
    if (isOther || batch.length === LINES || (batch.length > 0 && bytes + next.bytes > BYTES))
      yield gathered();
    batch.push(next);
    bytes += next.bytes;
  }
  if (batch.length > 0) yield gathered();
}
