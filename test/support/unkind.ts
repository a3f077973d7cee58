import { ACCOUNT, functionCredentials, REGION } from "../../local/aws.ts";
import { type Handlers, REAL_HANDLERS } from "../../local/handlers.ts";
import { type EmulatedService, type Router, type StartOptions, start } from "../../local/start.ts";
import { ENV, FUNCTIONS, type FunctionName } from "../../shared/settings.ts";
import type { Caller } from "../../testing/caller.ts";
import { type Front, type Layer, startFront } from "../../testing/front.ts";
import { type GuardRefusal, guard } from "../../testing/guard.ts";
import { physicalsOf } from "../../testing/physicals.ts";
import { type Policy, policyOf } from "../../testing/policy.ts";
import { withoutStage } from "../../testing/stage.ts";
import { functionsIn, type Template } from "../../testing/template.ts";
import { upstream } from "../../testing/upstream.ts";
import { synth } from "../infra/support.ts";

export const PLACE = { region: REGION, account: ACCOUNT };

/** Of the emulated secret. */
export const SECRET_ARN = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:tagwire-tokens-AbCdEf`;

export interface UnkindOptions extends StartOptions {
  /** What else a service does to calls that it lets through. @default nothing */
  readonly layers?: Partial<Readonly<Record<EmulatedService, readonly Layer[]>>>;
  /** @default the template of the stack as it comes */
  readonly template?: Template;
  /** @default the credentials of the local functions */
  readonly callers?: readonly Caller[];
}

export interface UnkindRouter extends Router {
  /** Calls that were refused: none, where nothing is wrong. */
  readonly refusals: readonly GuardRefusal[];
  readonly policies: Readonly<Record<string, Policy>>;
}

/**
 * The router over endpoints that check each call of a function as AWS does: its signature, and the function's own
 * policy in the synthesised template.
 */
export async function startUnkind({ layers = {}, callers = CALLERS, ...options }: UnkindOptions = {}): Promise<UnkindRouter> {
  const template = options.template ?? (synth().template.toJSON() as Template);
  const functions = functionsIn(template, ENV);
  const policies: Record<string, Policy> = {};
  const refusals: GuardRefusal[] = [];
  const parts: { stop(): unknown }[] = [];

  const between = async (service: EmulatedService, endpoint: string): Promise<string> => {
    const behind = upstream(endpoint);
    const checks = guard({
      ...{ service, place: PLACE, callers, policies },
      now: Date.now,
      onRefusal: (refusal) => refusals.push(refusal),
    });
    const isGateway = service === "execute-api";
    const all = [checks, ...(layers[service] ?? []), ...(isGateway ? [withoutStage] : [])];
    const front: Front = await startFront(all, behind.call);
    parts.push(front, behind);
    return isGateway ? `${front.url}/live` : front.url;
  };
  /** Each function is told where everything is, and by that its policy names what is emulated. */
  const held = <F extends FunctionName>(name: F, make: Handlers[F]) =>
    ((world) => {
      const physicals = physicalsOf(template, functions, {
        ...{ values: world.env, secretArn: SECRET_ARN, place: PLACE },
      });
      policies[name] = policyOf(template, functions[name].role, physicals);
      return make(world);
    }) as Handlers[F];
  const handlers = { ...REAL_HANDLERS, ...options.handlers };
  const router = await start({
    ...options,
    between,
    handlers: {
      ingest: held("ingest", handlers.ingest),
      receipts: held("receipts", handlers.receipts),
      consume: held("consume", handlers.consume),
      socket: held("socket", handlers.socket),
    },
  });
  return {
    ...router,
    refusals,
    policies,
    async stop(grace) {
      const left = await router.stop(grace);
      await Promise.all(parts.map((part) => part.stop()));
      return left;
    },
  };
}

const CALLERS: readonly Caller[] = FUNCTIONS.map((name) => ({ name, ...functionCredentials(name) }));
