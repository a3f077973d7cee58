import { Stack, Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

/** Acknowledges a finding of cdk-nag, for this stack and for every app that embeds it. */
export const accept = (construct: IConstruct, id: string, reason: string): void =>
  Validations.of(construct).acknowledge({ id, reason });

/** Acknowledges one wildcard in the policies of a role, and no other. */
export function acceptWildcard(role: IConstruct, finding: string, reason: string): void {
  accept(role, `AwsSolutions-IAM5[${flat(Stack.of(role).resolve(finding))}]`, reason);
}

/** A value with its references written <Name>, as cdk-nag writes them. */
function flat(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return "";
  if ("Ref" in value) return `<${value.Ref}>`;
  const [, parts] = "Fn::Join" in value && Array.isArray(value["Fn::Join"]) ? value["Fn::Join"] : [];
  return Array.isArray(parts) ? parts.map(flat).join("") : JSON.stringify(value);
}
