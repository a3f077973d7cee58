/** What an account answered to one question. */
export type AccountResult<T> =
  | { readonly kind: "value"; readonly value: T }
  /** There is no such thing. */
  | { readonly kind: "absent" }
  /** The identity may not ask. */
  | { readonly kind: "denied" }
  /** AWS does not take the credentials. */
  | { readonly kind: "rejected"; readonly reason: string }
  /** No answer, or one that makes no sense. */
  | { readonly kind: "failed"; readonly reason: string };

/** What Lambda allows an account in a Region. */
export interface LambdaLimits {
  /** Runs at a time. */
  readonly concurrency: number;
  /** Runs at a time that no function has for itself. */
  readonly unreserved: number;
}

/** Where a deploy would go. Every method asks AWS once, and MUST NOT throw. */
export interface Account {
  readonly region: string;
  lambdaLimits(): Promise<AccountResult<LambdaLimits>>;
  /** The value of a quota: the account's own, or else what AWS gives to every account of the Region. */
  quota(service: string, code: string): Promise<AccountResult<number>>;
  /** The version of the CDK's bootstrap stack. */
  bootstrapVersion(qualifier: string): Promise<AccountResult<number>>;
}
