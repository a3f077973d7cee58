/** What the intrinsic functions of CloudFormation return for one resource or pseudo parameter. */
export interface Physical {
  readonly ref: string;
  readonly arn?: string;
}

/** By logical id, or by the name of a pseudo parameter. */
export type Physicals = Readonly<Record<string, Physical>>;

/**
 * The text that a value of a template stands for, or undefined if it names something that is not in `physicals`.
 * Throws for an intrinsic function that it does not know.
 */
export function resolve(value: unknown, physicals: Physicals): string | undefined {
  if (typeof value === "string") return value;
  const [[name, argument] = []] = Object.entries(value as object);
  switch (name) {
    case "Ref":
      return physicals[String(argument)]?.ref;
    case "Fn::GetAtt": {
      const [id = "", attribute] = argument as readonly string[];
      // Where nobody answers for Service Quotas, the quota that was read is empty.
      if (attribute === "RequestsPerSecond") return "";
      if (attribute !== "Arn") throw new Error(`no attribute ${attribute} of ${id} is emulated`);
      return physicals[id]?.arn;
    }
    case "Fn::Join": {
      const [glue, parts] = argument as readonly [string, readonly unknown[]];
      const texts = parts.map((part) => resolve(part, physicals));
      return texts.includes(undefined) ? undefined : texts.join(glue);
    }
    default:
      throw new Error(`a template holds ${JSON.stringify(value)}, which is not emulated`);
  }
}

/** Logical id that a value refers to by itself: of `{"Ref": id}`, or in a Join that holds one. */
export function referredTo(value: unknown): string | undefined {
  return /"Ref":"((?!AWS::)[^"]+)"/.exec(JSON.stringify(value))?.[1];
}
