import { join } from "node:path";
import { DEV_SECRET } from "../../../shared/settings/dev-secret.ts";
import { ENV, FUNCTIONS, type FunctionName } from "../../../shared/settings/variables.ts";
import type { Caller } from "../../../testing/caller.ts";
import { lambdaEnvironment } from "../../../testing/lambda-environment.ts";
import { physicalsOf } from "../../../testing/physicals.ts";
import { grantsOf } from "../../../testing/policy.ts";
import { type Sandbox, startSandbox } from "../../../testing/sandbox.ts";
import { functionsIn } from "../../../testing/template.ts";
import { synthesise } from "../../bundle/support/assembly.ts";
import { account, PLACE, type PolicyStatement, TABLE_VARIABLES } from "./account.ts";
import type { Moto } from "./server.ts";

export interface Deployment {
  /** Runs the deployed code of a function once. `as` signs with other credentials than its own. */
  invoke(name: FunctionName, event: unknown, as?: Partial<Caller>): Promise<unknown>;
  readonly callers: Readonly<Record<FunctionName, Caller>>;
  readonly queueUrls: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** The stack in moto's account: queues, tables, the secret, and a role for each function with its own policy. */
export async function deploy({ endpoint }: Moto, socketEndpoint: string): Promise<Deployment> {
  const assembly = synthesise({});
  const functions = functionsIn(assembly.template, ENV);
  const to = account(endpoint);
  const queueUrls: Record<string, string> = {};
  for (const variable of ENV.consume.filter((name) => /QUEUE_URL/.test(name))) {
    queueUrls[variable] = await to.queue(variable.toLowerCase().replaceAll("_", "-"));
  }
  for (const { name, description } of TABLE_VARIABLES) await to.table(name, description);
  const secretArn = await to.secret("tagwire-tokens", DEV_SECRET);
  const names = Object.fromEntries(TABLE_VARIABLES.map(({ variable, name }) => [variable, name]));
  const where = { values: { ...queueUrls, ...names }, secretArn, place: PLACE };
  const physicals = physicalsOf(assembly.template, functions, where);

  const entries = FUNCTIONS.map(async (name) => {
    const grants = grantsOf(assembly.template, functions[name].role, physicals);
    return [name, await to.role(name, grants.map(asMotoAsks))] as const;
  });
  const callers = Object.fromEntries(await Promise.all(entries)) as Record<FunctionName, Caller>;
  const sandboxes = new Map<string, Sandbox>();
  const start = async (name: FunctionName, as: Partial<Caller>): Promise<Sandbox> => {
    const template = functions[name];
    const folder = join(assembly.folder, template.asset);
    const endpoints = {
      AWS_ENDPOINT_URL: endpoint,
      ...(name === "consume" ? { SOCKET_ENDPOINT: socketEndpoint } : {}),
    };
    const caller = { ...callers[name], ...as };
    const env = lambdaEnvironment(template, { caller, physicals, place: PLACE, endpoints, folder });
    return startSandbox({ folder, handler: template.handler, env, arn: name, write: () => {} });
  };
  return {
    callers,
    queueUrls,
    async invoke(name, event, as = {}) {
      const key = `${name} ${JSON.stringify(as)}`;
      const sandbox = sandboxes.get(key) ?? (await start(name, as));
      sandboxes.set(key, sandbox);
      return sandbox.invoke(event, 20_000);
    },
    async stop() {
      await Promise.all([...sandboxes.values()].map((sandbox) => sandbox.stop()));
      assembly.remove();
    },
  };
}

/**
 * moto 5.2.5 asks about the resource "*" for all services but SQS (only sqs, iam and sts/responses.py have
 * _determine_resource), and for sqs:SendMessageBatch where AWS goes by sqs:SendMessage.
 */
function asMotoAsks({
  action,
  resource,
}: {
  readonly action: string;
  readonly resource: string;
}): PolicyStatement {
  const actions = action === "sqs:SendMessage" ? [action, "sqs:SendMessageBatch"] : [action];
  return { Effect: "Allow", Action: actions, Resource: [action.startsWith("sqs:") ? resource : "*"] };
}
