import type { Job, MessageId } from "../../shared/domain/message.ts";
import { MESSAGE_PART, type ReceiptRow } from "../../shared/domain/receipt-row.ts";
import type { UserId } from "../../shared/domain/tag.ts";
import type { Gateway } from "../world/gateway.ts";
import type { Trace } from "../world/trace.ts";
import type { Letter } from "./letter.ts";

export interface Violation {
  readonly rule: string;
  readonly detail: string;
}

/** What all rules read and write. */
export interface Notebook {
  /** The true time, milliseconds since 1970. */
  readonly now: () => number;
  readonly trace: Trace;
  readonly gateway: Gateway;
  /** The rows of a receipt, as the product reads them. */
  readonly rowsOf: (producer: UserId, id: MessageId) => readonly ReceiptRow[];
  readonly letters: Letter[];
  readonly byCopy: Map<string, Letter>;
  /** Notes the first broken rule; the simulation ends with it. */
  violate(rule: string, detail: string): void;
  readonly violation: Violation | undefined;
}

export function notebook(world: Pick<Notebook, "now" | "trace" | "gateway" | "rowsOf">): Notebook {
  let violation: Violation | undefined;
  return {
    ...world,
    letters: [],
    byCopy: new Map(),
    violate(rule, detail) {
      if (violation) return;
      violation = { rule, detail };
      world.trace.note("VIOLATION", rule, () => detail);
    },
    get violation() {
      return violation;
    },
  };
}

export const letterOf = ({ byCopy }: Notebook, { message }: Job): Letter | undefined =>
  byCopy.get(message.acceptanceId);

/** The POST whose receipt an id shows now. */
export function shownLetter({ byCopy }: Notebook, rows: readonly ReceiptRow[]): Letter | undefined {
  const copy = rows.find(({ part }) => part === MESSAGE_PART)?.acceptanceId;
  return copy === undefined ? undefined : byCopy.get(copy);
}
