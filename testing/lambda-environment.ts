import type { Caller } from "./caller.ts";
import { type Physicals, resolve } from "./resolve.ts";
import type { Place } from "./service.ts";
import type { TemplateFunction } from "./template.ts";

interface Options {
  readonly caller: Caller;
  readonly physicals: Physicals;
  readonly place: Place;
  /** Variables that point the SDK at the emulated endpoints; they win over the template's. */
  readonly endpoints: Readonly<Record<string, string>>;
  readonly folder: string;
}

/**
 * The environment of a function in Lambda: its own variables and those that the runtime sets (Lambda Developer Guide,
 * "Defined runtime environment variables").
 */
export function lambdaEnvironment(
  { variables, handler, memoryMegabytes }: TemplateFunction,
  { caller, physicals, place, endpoints, folder }: Options,
): Readonly<Record<string, string>> {
  const own = Object.entries(variables).map(([name, value]) => {
    const text = resolve(value, physicals);
    if (text === undefined) throw new Error(`${name} names what is not emulated: ${JSON.stringify(value)}`);
    return [name, text] as const;
  });
  return {
    AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
    AWS_DEFAULT_REGION: place.region,
    AWS_REGION: place.region,
    AWS_ACCESS_KEY_ID: caller.accessKeyId,
    AWS_SECRET_ACCESS_KEY: caller.secretAccessKey,
    AWS_SESSION_TOKEN: caller.sessionToken ?? "",
    AWS_LAMBDA_FUNCTION_NAME: `tagwire-${caller.name}`,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMegabytes),
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/tagwire-${caller.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: "2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef",
    AWS_XRAY_CONTEXT_MISSING: "LOG_ERROR",
    AWS_XRAY_DAEMON_ADDRESS: "169.254.79.129:2000",
    LAMBDA_TASK_ROOT: folder,
    LAMBDA_RUNTIME_DIR: "/var/runtime",
    LANG: "en_US.UTF-8",
    TZ: ":UTC",
    _HANDLER: handler,
    ...Object.fromEntries(own),
    ...endpoints,
  };
}
