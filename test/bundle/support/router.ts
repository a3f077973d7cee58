import { join } from "node:path";
import type { EventOf, ReplyOf } from "../../../local/invocation.ts";
import { functionArn, functionCredentials } from "../../../local/twin/emulators/aws.ts";
import type { SettingsOverrides } from "../../../shared/settings/schema.ts";
import { FUNCTIONS, type FunctionName } from "../../../shared/settings/variables.ts";
import { temporaryCaller } from "../../../testing/caller.ts";
import { lambdaEnvironment } from "../../../testing/lambda-environment.ts";
import { type Sandbox, startSandbox } from "../../../testing/sandbox.ts";
import type { Service } from "../../../testing/service.ts";
import { PLACE, type Run, startUnkind, type UnkindRouter } from "../../support/unkind.ts";
import { synthesise } from "./assembly.ts";

export interface BundledRouter extends UnkindRouter {
  /** Runs the deployed code of a function once. */
  invoke<F extends FunctionName>(name: F, event: unknown): Promise<ReplyOf<F>>;
  /** Makes a service hold another secret for every access key from now on, or the right one again. */
  distrust(service: Service, does: boolean): void;
  /** What the functions printed. */
  readonly lines: readonly string[];
}

/** Polls the lanes in the name of the consumer, as Lambda does. */
const POLLER = { name: "consume", ...functionCredentials("consume") };
const CALLERS = FUNCTIONS.map(temporaryCaller);
const STRANGERS = CALLERS.map((caller) => ({ ...caller, secretAccessKey: "another" }));

/** The router with each function as it is deployed: its bundle, its environment, a process of its own. */
export async function startBundles(settings: SettingsOverrides): Promise<BundledRouter> {
  const assembly = synthesise(settings);
  const lines: string[] = [];
  const sandboxes = new Map<string, Promise<Sandbox>>();
  const distrusted = new Set<Service>();

  const run: Run = (name, runtime, { template, physicals, secretsEndpoint }) => {
    const folder = join(assembly.folder, template.asset);
    const socketEndpoint = runtime.env["SOCKET_ENDPOINT"];
    const env = lambdaEnvironment(template, {
      ...{ caller: temporaryCaller(name), physicals, place: PLACE, folder },
      endpoints: {
        AWS_ENDPOINT_URL_SQS: runtime.env["AWS_ENDPOINT_URL_SQS"] ?? "",
        AWS_ENDPOINT_URL_DYNAMODB: runtime.env["AWS_ENDPOINT_URL_DYNAMODB"] ?? "",
        AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsEndpoint,
        ...(socketEndpoint ? { SOCKET_ENDPOINT: socketEndpoint } : {}),
      },
    });
    const write = (line: string) => {
      lines.push(line);
      runtime.write(line);
    };
    const sandbox = startSandbox({ folder, handler: template.handler, env, arn: functionArn(name), write });
    sandboxes.set(name, sandbox);
    return async (event: EventOf<typeof name>, context) =>
      (await (await sandbox).invoke(event, context.getRemainingTimeInMillis())) as ReplyOf<typeof name>;
  };
  const router = await startUnkind({
    ...{ settings, template: assembly.template, run, mayRefuse: true },
    callers: (service) => [POLLER, ...(distrusted.has(service) ? STRANGERS : CALLERS)],
  });
  return {
    ...router,
    lines,
    distrust: (service, does) => void (does ? distrusted.add(service) : distrusted.delete(service)),
    async invoke(name, event) {
      return (await (await sandboxes.get(name))?.invoke(event, 10_000)) as ReplyOf<typeof name>;
    },
    async stop(grace) {
      const left = await router.stop(grace);
      for (const sandbox of sandboxes.values()) await (await sandbox).stop();
      assembly.remove();
      return left;
    },
  };
}
