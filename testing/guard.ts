import { accessesOf } from "./access.ts";
import type { Caller } from "./caller.ts";
import type { Layer } from "./front.ts";
import type { Access, Policy } from "./policy.ts";
import { type Refusal, refusalOf } from "./refusal.ts";
import type { CallRequest, Place, Service } from "./service.ts";
import { checkSignature } from "./signature.ts";

export interface GuardOptions {
  readonly service: Service;
  readonly place: Place;
  /** Whose signatures are valid now. */
  readonly callers: () => readonly Caller[];
  /** By the name of a caller. A caller without a policy is held to none: it is not a function. */
  readonly policies?: Readonly<Record<string, Policy>>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Gets each refusal, so that a caller that hides its faults cannot hide them from a test. @default ignored */
  readonly onRefusal?: (refusal: GuardRefusal) => void;
}

export interface GuardRefusal extends Refusal {
  readonly service: Service;
  readonly operation: string;
  /** Absent if the signature was not valid. */
  readonly caller?: string;
}

/** Lets a request through if it is signed by one of the callers and the caller's policy allows it, as AWS does. */
export function guard({ service, place, callers, policies = {}, now, onRefusal }: GuardOptions): Layer {
  const { region } = place;
  return (request, next) => {
    const refused = (refusal: Refusal, caller?: string) => {
      const operation = String(request.headers["x-amz-target"] ?? `${request.method} ${request.path}`);
      onRefusal?.({ ...refusal, service, operation, ...(caller ? { caller } : {}) });
      return Promise.resolve(refusalOf(service, refusal));
    };
    const signature = checkSignature({ callers: callers(), service, region, now }, request);
    if (signature.kind === "invalid") return refused(signature.refusal);
    const { name } = signature.caller;
    const forbidden = forbiddenIn(policies[name], service, place, request);
    return forbidden ? refused(accessDenied(place, name, forbidden), name) : next(request);
  };
}

const forbiddenIn = (policy: Policy | undefined, service: Service, place: Place, request: CallRequest) =>
  policy && accessesOf(service, place, request).find((access) => !policy.allows(access));

const accessDenied = ({ account }: Place, name: string, { action, resource }: Access): Refusal => ({
  code: "AccessDeniedException",
  message:
    `User: arn:aws:sts::${account}:assumed-role/${name}/${name} is not authorized to perform: ${action}` +
    ` on resource: ${resource} because no identity-based policy allows the ${action} action`,
});
