import type { Account } from "./account.ts";
import { type Finding, ok, withoutValue, wouldFail } from "./check.ts";

/** The oldest that a stack of CDK 2 deploys to (DefaultStackSynthesizer). */
const OLDEST = 6;

/** Whether the CDK can put its assets somewhere. */
export async function checkBootstrap(account: Account, qualifier: string): Promise<Finding> {
  const todo = `npx cdk bootstrap (Region ${account.region})`;
  const answer = await account.bootstrapVersion(qualifier);
  if (answer.kind === "absent") return wouldFail("the account is not bootstrapped in this Region", todo);
  if (answer.kind !== "value")
    return withoutValue(answer, { what: "the CDK's bootstrap version", action: "ssm:GetParameter" });
  return answer.value >= OLDEST
    ? ok(`version ${answer.value}`)
    : wouldFail(`version ${answer.value}; a deploy needs ${OLDEST} or later`, todo);
}
