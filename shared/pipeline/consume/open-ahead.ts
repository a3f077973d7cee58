import { expressionOf, type Target } from "../../protocol/target.ts";
import type { Job } from "../../receipts/job.ts";
import { type Audience, type RouteDeps, route } from "../route/route.ts";

/**
 * Opens the audience of a job while the run claims it, so that the claim and the first page are one round trip. Only if
 * the page is hardly wasted: the target is one list or one connection, and the job is received for the first time, since
 * what was received before goes on where its receipt says. A repeat costs a read. Undefined if the page has to wait.
 *
 * The page is read after the job was received, so every connection is in it that had subscribed before the message was
 * accepted. Nothing MUST be sent before the claim has returned.
 */
export function openAhead(
  deps: RouteDeps,
  { message: { target, expiresAt }, range }: Job,
  receive: number,
): Promise<Audience> | undefined {
  if (receive > 1 || !isPlain(target) || deps.clock.now() >= expiresAt) return undefined;
  const opened = route(deps, target, range);
  // If the claim refuses the job, nobody awaits it.
  opened.catch(() => {});
  return opened;
}

function isPlain(target: Target): boolean {
  if ("connection" in target) return true;
  const { all, any, none } = expressionOf(target);
  return all.length === 1 && any.length + none.length === 0;
}
