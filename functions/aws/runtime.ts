import type { SecretStage, SecretVersion } from "../../shared/adapters/jwt/secret-tokens.ts";
import type { Clock, Random } from "../../shared/ports.ts";

/** Everything a function takes from outside. Each function gets its own, once, at start. */
export interface Runtime {
  /** The variables of shared/settings/settings.ts ENV, and those of the AWS SDK. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Takes every line a function prints: JSON logs and EMF metric records. */
  readonly write: (line: string) => void;
  /** Undefined if no version of the secret has this label, as is normal for AWSPREVIOUS. */
  readonly readSecret: (id: string, stage: SecretStage) => Promise<SecretVersion | undefined>;
  readonly clock: Clock;
  readonly random: Random;
}
