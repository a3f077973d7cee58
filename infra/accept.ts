import { Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

/** Acknowledges a finding of a rule pack such as cdk-nag, in this stack and in every app that embeds it. */
export const accept = (construct: IConstruct, id: string, reason: string): void =>
  Validations.of(construct).acknowledge({ id, reason });
