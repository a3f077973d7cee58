/** Who calls: each function has an access key of its own, as each role session has in Lambda. */
export interface Caller {
  /** The function's name. */
  readonly name: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials, which are the only kind that Lambda gives to a function. */
  readonly sessionToken?: string;
}

/** Temporary credentials as Lambda gives them to a function: the identifier of such a key begins with ASIA (IAM). */
export const temporaryCaller = (name: string): Caller => ({
  name,
  accessKeyId: `ASIA${name.toUpperCase()}`,
  secretAccessKey: `secret of ${name}`,
  sessionToken: `token/of+${name}==`,
});
