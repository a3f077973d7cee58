import { ENDINGS, type Ending } from "../shared/protocol/ending.ts";
import type { Receipt } from "../shared/protocol/receipt.ts";
import { RouterError } from "./errors.ts";
import { call, failureOf, isObject, orAborted, type RequestDeps, type Response } from "./request.ts";

export interface ReceiptOptions {
  /**
   * Who published the message. Another than oneself needs an admin token.
   * @default the user of the token
   */
  readonly producer?: string;
  readonly signal?: AbortSignal;
}

export interface WaitOptions extends ReceiptOptions {
  /**
   * The ending to wait for, or several.
   * @default any
   */
  readonly ending?: Ending | readonly Ending[];
  /**
   * How long to wait, in seconds: no request starts later.
   * @default 300
   */
  readonly timeoutSeconds?: number;
}

/** The receipt of a message that has ended. */
export type EndedReceipt = Receipt & { readonly state: Ending };

/** Reads a receipt. Returns undefined if no run has met the message, or the id is unknown. */
export async function receipt(
  deps: RequestDeps,
  id: string,
  { producer, signal }: ReceiptOptions = {},
): Promise<Receipt | undefined> {
  const response = await call(deps, { method: "GET", path: pathOf(id, producer) }, signal);
  return isNotFound(response) ? undefined : receiptIn(response);
}

/** Cancels what has not been delivered yet. Returns the receipt after it. */
export async function cancel(
  deps: RequestDeps,
  id: string,
  { producer, signal }: ReceiptOptions = {},
): Promise<Receipt> {
  return receiptIn(await call(deps, { method: "DELETE", path: pathOf(id, producer) }, signal));
}

/** Delays between two reads of a receipt, in milliseconds: each is half again as long as the one before. */
const POLL = { first: 250, factor: 1.5, cap: 5_000 };

/**
 * Reads a receipt until the message has ended, ever less often. Throws ENDING_UNEXPECTED if it ended otherwise than
 * `ending` says, and WAIT_TIMED_OUT.
 */
export async function waitFor(
  deps: RequestDeps,
  id: string,
  { ending = ENDINGS, timeoutSeconds = 300, producer, signal }: WaitOptions = {},
): Promise<EndedReceipt> {
  const { runtime, settings } = deps;
  const wanted: readonly string[] = typeof ending === "string" ? [ending] : ending;
  const until = runtime.monotonic() + timeoutSeconds * 1000;
  for (let delay = POLL.first; ; delay = Math.min(POLL.cap, delay * POLL.factor)) {
    const retrySeconds = Math.min(settings.retrySeconds, (until - runtime.monotonic()) / 1000);
    const request = { method: "GET", path: pathOf(id, producer) } as const;
    const response = await call({ ...deps, settings: { ...settings, retrySeconds } }, request, signal);
    const found = isNotFound(response) ? undefined : receiptIn(response);
    if (found && hasEnded(found)) {
      if (wanted.includes(found.state)) return found;
      const told = `${id} ended ${found.state}${found.reason ? ` (${found.reason})` : ""}`;
      throw new RouterError("ENDING_UNEXPECTED", `${told}, and not ${wanted.join(" or ")}`);
    }
    // Jitter on top, so that many that wait do not ask together.
    const least = Math.max(delay, (response.retryAfterSeconds ?? 0) * 1000);
    const wait = least * (1 + runtime.random() / 4);
    if (runtime.monotonic() + wait > until) {
      const state = found ? `is ${found.state}` : "has no receipt";
      throw new RouterError("WAIT_TIMED_OUT", `${id} ${state} after ${timeoutSeconds} s`);
    }
    await orAborted(signal, () => runtime.pause(wait, signal));
  }
}

const pathOf = (id: string, producer: string | undefined): string =>
  `v1/messages/${encodeURIComponent(id)}${producer === undefined ? "" : `?producer=${encodeURIComponent(producer)}`}`;

const hasEnded = (receipt: Receipt): receipt is EndedReceipt =>
  (ENDINGS as readonly string[]).includes(receipt.state);

const isNotFound = ({ status, body }: Response): boolean =>
  status === 404 && isObject(body) && body["code"] === "RECEIPT_NOT_FOUND";

function receiptIn(response: Response): Receipt {
  const { status, body } = response;
  if (status !== 200) throw failureOf(response);
  if (isObject(body) && typeof body["state"] === "string") return body as unknown as Receipt;
  throw new RouterError("RESPONSE_INVALID", "the router's response is no receipt", { status });
}
