import { FORMER_QUEUE_URL } from "../shared/settings/queues.ts";
import { QUOTA_ENV, STREAM_ENV } from "../shared/settings/variables.ts";

/** A CloudFormation template as the CDK writes it. */
export interface Template {
  readonly Resources: Readonly<Record<string, TemplateResource>>;
}

export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

/** A function of a template. */
export interface TemplateFunction {
  /** Logical id of its role. */
  readonly role: string;
  /** Its variables, unresolved. */
  readonly variables: Readonly<Record<string, unknown>>;
  readonly memoryMegabytes: number;
  readonly timeoutSeconds: number;
  readonly handler: string;
  /** The folder of its code in the cloud assembly. */
  readonly asset: string;
}

interface FunctionProperties {
  readonly Code: { readonly S3Key?: string };
  readonly Environment?: { readonly Variables?: Readonly<Record<string, unknown>> };
  readonly Handler: string;
  readonly MemorySize: number;
  readonly Role: { readonly "Fn::GetAtt": readonly [string, string] };
  readonly Timeout: number;
}

/**
 * The functions of a template by name. A function is told by the variables that it must have, since its logical id
 * is of no consequence; only where two have the same ones, by the name of its construct in that id. Variables that a
 * function has only if streams are kept, or only for the release before, are left out. Throws if there is not exactly one function for each name.
 */
export function functionsIn<Name extends string>(
  { Resources }: Template,
  variables: Readonly<Record<Name, readonly string[]>>,
): Readonly<Record<Name, TemplateFunction>> {
  const found = Object.entries(Resources)
    .filter(([, { Type }]) => Type === "AWS::Lambda::Function")
    .map(([id, { Properties }]) => ({ id, ...described(Properties as unknown as FunctionProperties) }));
  const named = Object.entries<readonly string[]>(variables).map(([name, keys]) => {
    const wanted = [...keys].sort().join();
    const alike = found.filter((one) => namesOf(one).sort().join() === wanted);
    const fitting = alike.length > 1 ? alike.filter(({ id }) => isNamed(id, name)) : alike;
    if (fitting.length !== 1) throw new Error(`${fitting.length} functions have the variables of ${name}`);
    return [name, fitting[0]];
  });
  return Object.fromEntries(named);
}

const OPTIONAL: readonly string[] = [...Object.values(STREAM_ENV).flat(), QUOTA_ENV, FORMER_QUEUE_URL];

const namesOf = ({ variables }: TemplateFunction): string[] =>
  Object.keys(variables).filter((name) => !OPTIONAL.includes(name));
const isNamed = (id: string, name: string): boolean => id.toLowerCase().includes(`${name}function`);

const described = (properties: FunctionProperties): TemplateFunction => ({
  role: properties.Role["Fn::GetAtt"][0],
  variables: properties.Environment?.Variables ?? {},
  memoryMegabytes: properties.MemorySize,
  timeoutSeconds: properties.Timeout,
  handler: properties.Handler,
  asset: `asset.${properties.Code.S3Key?.replace(/\.zip$/, "")}`,
});
