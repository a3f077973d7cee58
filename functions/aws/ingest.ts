import type { QuotaBeats } from "../../shared/ports.ts";
import { readEnv } from "../../shared/settings/variables.ts";
import { ingestHandler } from "../ingest.ts";
import type { Runtime } from "./runtime.ts";
import { settingsOf } from "./settings.ts";
import { tokensOf } from "./token-source.ts";
import { queueClient, queueOf, telemetryOf } from "./wiring.ts";

/** The function of POST /v1/messages. */
export function ingestFunction(runtime: Runtime) {
  const env = readEnv("ingest", runtime.env);
  const { clock, random } = runtime;
  const settings = settingsOf(env);
  const telemetry = telemetryOf(runtime, "ingest", env.ROUTER, settings);
  const queue = queueOf(queueClient(runtime, settings.advanced.functions.ingest), env, {
    fair: settings.fairQueues,
    warn: telemetry().warn,
  });
  // Loaded once jobs wait, which is seldom: a container that starts does not wait for it.
  let beats: Promise<QuotaBeats> | undefined;
  const read = async () => {
    beats ??= import("./quota-beats.ts").then(({ quotaBeatsOf }) =>
      quotaBeatsOf(runtime, env.QUOTAS_TABLE, settings),
    );
    return (await beats).read();
  };
  return ingestHandler({
    ...{ tokens: tokensOf(runtime, env.TOKENS), queue, settings, clock, random, telemetry },
    beats: { read },
  });
}
