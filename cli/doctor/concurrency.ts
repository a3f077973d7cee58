import { reservedConcurrency } from "../../shared/settings/derived.ts";
import type { Settings } from "../../shared/settings/schema.ts";
import type { Account } from "./account.ts";
import { type Finding, ok, withoutValue, wouldFail } from "./check.ts";

/** Lambda keeps 100 runs of an account unreserved, or all where it has less (PutFunctionConcurrency). */
const KEPT = 100;

/** Concurrent executions. */
const QUOTA = "L-B99A9384";

const MORE = `ask for more (Service Quotas, lambda, ${QUOTA})`;

/** Whether the consumer can have its concurrency for itself. */
export async function checkConcurrency(
  account: Account,
  { settings, reserve }: { readonly settings: Settings; readonly reserve: boolean },
): Promise<Finding> {
  const runs = reservedConcurrency(settings);
  const limits = await account.lambdaLimits();
  if (limits.kind === "value") return judge(limits.value, runs, reserve);
  // Service Quotas knows what the account has, but not what is reserved already.
  const quota = limits.kind === "denied" ? await account.quota("lambda", QUOTA) : limits;
  if (quota.kind === "value")
    return judge({ concurrency: quota.value, unreserved: quota.value }, runs, reserve);
  return withoutValue(limits, { what: "the account's concurrency", action: "lambda:GetAccountSettings" });
}

function judge(
  { concurrency, unreserved }: { readonly concurrency: number; readonly unreserved: number },
  runs: number,
  reserve: boolean,
): Finding {
  const has = `${concurrency} runs at a time, ${unreserved} of them unreserved`;
  if (!reserve) {
    const shared = `the lanes may take ${runs}, so other functions and the router slow each other down; ${MORE}`;
    return ok(`${has}; nothing is reserved`, runs < unreserved ? undefined : shared);
  }
  const kept = Math.min(KEPT, concurrency);
  const finding = `${has}; the consumer reserves ${runs}, and Lambda keeps ${kept} unreserved`;
  if (unreserved - runs >= kept) return ok(finding);
  return wouldFail(
    finding,
    `deploy with -c tagwire:reserve=false, or ${MORE}; an update of a router that has its reserve already is fine`,
  );
}
