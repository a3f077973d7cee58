import { type Physicals, resolve } from "./resolve.ts";
import type { Template } from "./template.ts";

/** One action on one resource, as IAM names both. */
export interface Access {
  readonly action: string;
  readonly resource: string;
}

export interface Grant extends Access {
  readonly effect: "Allow" | "Deny";
}

export interface Policy {
  /** Whether a statement allows it and none denies it. Remembers what it was that allowed it. */
  allows(access: Access): boolean;
  /** Each allowed action on each resource that no call has used, in order. */
  unused(): readonly Access[];
}

interface Statement {
  readonly Effect: "Allow" | "Deny";
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

interface PolicyProperties {
  readonly PolicyDocument: { readonly Statement: readonly Statement[] };
  readonly Roles: readonly { readonly Ref: string }[];
}

/**
 * What a role may do by the policies of a synthesised template. A resource that is not in `physicals` is written as
 * its JSON, so no call can match it and `unused` names it.
 */
export function policyOf(template: Template, role: string, physicals: Physicals): Policy {
  const grants = grantsOf(template, role, physicals).map((grant) => ({
    ...grant,
    isFor: { action: pattern(grant.action.toLowerCase()), resource: pattern(grant.resource) },
  }));
  const used = new Set<string>();

  return {
    allows(access) {
      const action = access.action.toLowerCase();
      const matching = grants.filter(
        ({ isFor }) => isFor.action.test(action) && isFor.resource.test(access.resource),
      );
      if (matching.length === 0 || matching.some(({ effect }) => effect === "Deny")) return false;
      for (const grant of matching) used.add(keyOf(grant));
      return true;
    },
    unused: () =>
      grants
        .filter((grant) => grant.effect === "Allow" && !used.has(keyOf(grant)))
        .map(({ action, resource }) => ({ action, resource })),
  };
}

/** Each action and resource that the policies of a role name. */
export function grantsOf(template: Template, role: string, physicals: Physicals): readonly Grant[] {
  return Object.values(template.Resources)
    .filter(({ Type }) => Type === "AWS::IAM::Policy")
    .map(({ Properties }) => Properties as unknown as PolicyProperties)
    .filter(({ Roles }) => Roles.some(({ Ref }) => Ref === role))
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    .flatMap((statement) => accessesOf(statement, physicals));
}

function accessesOf({ Effect, Action, Resource, Condition }: Statement, physicals: Physicals) {
  if (Condition !== undefined) throw new Error(`a condition is not emulated: ${JSON.stringify(Condition)}`);
  const resources = [Resource].flat().map((it) => resolve(it, physicals) ?? JSON.stringify(it));
  const actions = [Action].flat();
  return actions.flatMap((action) => resources.map((resource) => ({ effect: Effect, action, resource })));
}

const keyOf = ({ action, resource }: Access) => `${action} ${resource}`;

/** `*` stands for any text and `?` for any one character. */
function pattern(text: string): RegExp {
  const literal = text.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${literal.replaceAll("*", ".*").replaceAll("?", ".")}$`);
}
