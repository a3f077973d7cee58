import * as v from "valibot";

/**
 * A text of at most `most` characters. They are code points, as JSON Schema counts them; of a longer text no more is
 * read than its length.
 */
export const text = (most: number) =>
  v.pipe(
    v.string(),
    v.check(
      (value) => value.length <= most || (value.length <= 2 * most && [...value].length <= most),
      `must be at most ${most} characters long`,
    ),
    v.metadata({ maxLength: most }),
  );
