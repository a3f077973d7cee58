import { reservedConcurrency } from "../shared/settings/derived.ts";
import type { Settings } from "../shared/settings/schema.ts";
import type { Release } from "./function.ts";
import type { TagwireProps } from "./props.ts";

/** How runs reach the code, if not at once. Emulators have neither CodeDeploy nor containers that wait. */
export function releaseOf(props: TagwireProps, chosen: Settings): Release | undefined {
  const { deployment, provisionedConcurrency = {}, emulator, reserveConcurrency = true } = props;
  const most = reserveConcurrency ? reservedConcurrency(chosen) : Number.POSITIVE_INFINITY;
  for (const [name, containers] of Object.entries(provisionedConcurrency))
    if (!(Number.isInteger(containers) && containers > 0))
      throw new Error(`provisionedConcurrency.${name} must be a whole number above 0, got ${containers}`);
  const { consume = 0 } = provisionedConcurrency;
  if (consume > most)
    throw new Error(
      `provisionedConcurrency.consume must be at most ${most}, the function's reserve, got ${consume}`,
    );
  if (emulator || !(deployment || Object.keys(provisionedConcurrency).length > 0)) return undefined;
  return { isGradual: deployment !== undefined, provisionedConcurrency };
}
