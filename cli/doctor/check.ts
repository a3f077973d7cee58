import type { AccountResult } from "./account.ts";

/** unknown: the account could not be asked. */
export type Status = "ok" | "would fail" | "unknown";

/** What one look at the account showed. */
export interface Check {
  readonly name: string;
  readonly status: Status;
  readonly detail: string;
  /** What someone can do about it. */
  readonly todo?: string;
}

export type Finding = Omit<Check, "name">;

export const ok = (detail: string, todo?: string): Finding => ({ status: "ok", detail, ...hint(todo) });
export const wouldFail = (detail: string, todo: string): Finding => ({ status: "would fail", detail, todo });
export const unknown = (detail: string, todo?: string): Finding => ({
  status: "unknown",
  detail,
  ...hint(todo),
});

const hint = (todo: string | undefined) => (todo === undefined ? {} : { todo });

interface Question {
  /** What is asked for, as in "the concurrency". */
  readonly what: string;
  /** The IAM action that it takes. */
  readonly action: string;
}

/** What an answer without a value means. A deploy with the same credentials would be rejected too. */
export function withoutValue(
  answer: Exclude<AccountResult<unknown>, { kind: "value" }>,
  asked: Question,
): Finding {
  switch (answer.kind) {
    case "absent":
      return unknown(`AWS knows nothing of ${asked.what}`);
    case "denied":
      return unknown(`no permission to read ${asked.what}`, `allow ${asked.action}, or look at the console`);
    case "rejected":
      return wouldFail(
        `AWS rejects the credentials: ${answer.reason}`,
        "log in again, and see that the Region is enabled for the account",
      );
    case "failed":
      return unknown(`${asked.what} could not be read: ${answer.reason}`, "try again");
  }
}
