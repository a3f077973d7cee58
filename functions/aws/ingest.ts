import { emfTelemetry } from "../../shared/adapters/emf/telemetry.ts";
import { readEnv } from "../../shared/settings/variables.ts";
import { ingestHandler } from "../ingest.ts";
import type { Runtime } from "./runtime.ts";
import { tokensOf } from "./token-source.ts";
import { queueClient, queueOf, settingsOf } from "./wiring.ts";

/** The function of POST /v1/messages. */
export function ingestFunction(runtime: Runtime) {
  const env = readEnv("ingest", runtime.env);
  const { clock, random } = runtime;
  const settings = settingsOf(env.SETTINGS);
  const telemetry = () => emfTelemetry("ingest", runtime.write, env.ROUTER);
  const queue = queueOf(queueClient(runtime, settings.advanced.functions.ingest), env, {
    fair: settings.fairQueues,
    warn: telemetry().warn,
  });
  return ingestHandler({ tokens: tokensOf(runtime, env.TOKENS), queue, settings, clock, random, telemetry });
}
