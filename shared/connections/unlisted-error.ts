import { messageOf, TagwireError } from "../protocol/errors.ts";
import type { Tag } from "../protocol/tag.ts";

/** Lists could not be written. Those of `tags` have no row of the connection: the table refused it. The others may. */
export class UnlistedError extends TagwireError {
  readonly tags: readonly Tag[];

  /** `fault` is what the table said. */
  constructor(tags: readonly Tag[], fault: unknown) {
    super("TABLE_UNAVAILABLE", messageOf(fault), {
      cause: fault instanceof TagwireError ? fault.cause : fault,
    });
    this.tags = tags;
  }
}
