import type { Runtime } from "../../functions/aws/runtime.ts";
import type { EventOf, ReplyOf } from "../../local/invocation.ts";
import type { Router, StartOptions } from "../../local/options.ts";
import { ACCOUNT, CREDENTIALS, functionCredentials, REGION } from "../../local/twin/emulators/aws.ts";
import { type Handler, REAL_HANDLERS } from "../../local/twin/lambda/handlers.ts";
import { startTwin } from "../../local/twin/start.ts";
import type { EmulatedService, TwinOptions } from "../../local/twin/twin.ts";
import { DEV_SECRET } from "../../shared/settings/dev-secret.ts";
import { ENV, FUNCTIONS, type FunctionName } from "../../shared/settings/variables.ts";
import type { Caller } from "../../testing/caller.ts";
import { type Layer, startFront } from "../../testing/front.ts";
import { type GuardRefusal, guard } from "../../testing/guard.ts";
import { physicalsOf } from "../../testing/physicals.ts";
import { type Policy, policyOf } from "../../testing/policy.ts";
import type { Physicals } from "../../testing/resolve.ts";
import { secretsManager } from "../../testing/secrets.ts";
import type { Service } from "../../testing/service.ts";
import { withoutStage } from "../../testing/stage.ts";
import { functionsIn, type Template, type TemplateFunction } from "../../testing/template.ts";
import { upstream } from "../../testing/upstream.ts";
import { synth } from "../infra/support.ts";
import { patient } from "./patient.ts";

export const PLACE = { region: REGION, account: ACCOUNT };

/** Of the emulated secret, whose value is DEV_SECRET. */
const SECRET_ARN = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:tagwire-tokens-AbCdEf`;

/** Where a function of the template runs. */
export interface Deployment {
  readonly template: TemplateFunction;
  readonly physicals: Physicals;
  readonly secretsEndpoint: string;
}

export type Run = <F extends FunctionName>(
  name: F,
  runtime: Runtime,
  deployment: Deployment,
) => Handler<EventOf<F>, ReplyOf<F>>;

export interface UnkindOptions extends StartOptions, TwinOptions {
  /** What else a service does to calls that it lets through. @default nothing */
  readonly layers?: Partial<Readonly<Record<EmulatedService, readonly Layer[]>>>;
  /** @default the template of a stack that keeps the same streams, and is as it comes otherwise */
  readonly template?: Template;
  /** Whose signatures a service takes at this moment. @default the local functions' */
  readonly callers?: (service: Service) => readonly Caller[];
  /** Whether a stop lets calls pass that were refused. Otherwise it rejects, and names them. @default false */
  readonly mayRefuse?: boolean;
  /** Runs a function elsewhere than in this process. */
  readonly run?: Run;
}

export interface UnkindRouter extends Router {
  /** Calls that were refused: none, if nothing is wrong. */
  readonly refusals: readonly GuardRefusal[];
  readonly policies: Readonly<Record<string, Policy>>;
}

/**
 * The router over endpoints that check each call of a function as AWS does: its signature, and the function's own
 * policy in the synthesised template.
 */
export async function startUnkind(options: UnkindOptions = {}): Promise<UnkindRouter> {
  const { layers = {}, callers = () => LOCAL, template = templateFor(options) } = options;
  const functions = functionsIn(template, ENV);
  const policies: Record<string, Policy> = {};
  const refusals: GuardRefusal[] = [];
  const parts: { stop(): unknown }[] = [];

  const checks = (service: Service) =>
    guard({
      ...{ service, place: PLACE, policies, now: Date.now },
      callers: () => callers(service),
      onRefusal: (refusal) => refusals.push(refusal),
    });
  const secrets = await startFront(
    [checks("secretsmanager")],
    secretsManager(() => ({ [SECRET_ARN]: { AWSCURRENT: options.secret ?? DEV_SECRET } })),
  );
  parts.push(secrets);
  const between = async (service: EmulatedService, endpoint: string): Promise<string> => {
    const behind = upstream(endpoint);
    const isGateway = service === "execute-api";
    const all = [checks(service), ...(layers[service] ?? []), ...(isGateway ? [withoutStage] : [])];
    const front = await startFront(all, behind.call);
    parts.push(front, behind);
    return isGateway ? `${front.url}/live` : front.url;
  };
  /** A function is told where everything is, and by that its policy names what is emulated. */
  const held =
    <F extends FunctionName>(name: F) =>
    (runtime: Runtime): Handler<EventOf<F>, ReplyOf<F>> => {
      const where = { values: runtime.env, secretArn: SECRET_ARN, place: PLACE };
      const physicals = physicalsOf(template, { [name]: functions[name] }, where);
      policies[name] = policyOf(template, functions[name].role, physicals);
      const deployment = { template: functions[name], physicals, secretsEndpoint: secrets.url };
      const make = options.handlers?.[name] ?? REAL_HANDLERS[name];
      return options.run?.(name, runtime, deployment) ?? make(runtime);
    };
  const router = await startTwin({
    ...options,
    settings: patient(options.settings),
    between,
    handlers: {
      ingest: held("ingest"),
      receipts: held("receipts"),
      connections: held("connections"),
      consume: held("consume"),
      socket: held("socket"),
    },
  });
  return {
    ...router,
    refusals,
    policies,
    async stop(grace) {
      const left = await router.stop(grace);
      await Promise.all(parts.map((part) => part.stop()));
      if (refusals.length > 0 && !options.mayRefuse) {
        throw new Error(`${refusals.length} calls were refused, first ${JSON.stringify(refusals[0])}`);
      }
      return left;
    },
  };
}

const templateFor = ({ settings: { streams, userStreams } = {} }: StartOptions): Template =>
  synth({
    settings: { ...(streams ? { streams } : {}), ...(userStreams ? { userStreams } : {}) },
  }).template.toJSON() as Template;

/** The functions in this process, and a test that calls an endpoint itself. */
const LOCAL: readonly Caller[] = [
  ...FUNCTIONS.map((name) => ({ name, ...functionCredentials(name) })),
  { name: "test", ...CREDENTIALS },
];
