import type { APIGatewayProxyEventV2 } from "aws-lambda";
import { v7 as uuid } from "uuid";
import { emfTelemetry } from "../shared/adapters/powertools/telemetry.ts";
import { type Item, ingest } from "../shared/pipeline/ingest.ts";
import { readEnv } from "../shared/settings.ts";
import { authorize, guarded, type HttpReply, jsonBody, problemReply, reply } from "./http.ts";
import { queueOf, settingsOf, tokensOf } from "./wiring.ts";
import type { World } from "./world.ts";

/** POST /messages. */
export function ingestHandler(world: World) {
  const env = readEnv("ingest", world.env);
  const tokens = tokensOf(world, env.TOKENS);
  const queue = queueOf(world, env, settingsOf(env.SETTINGS).queues.fair);
  const newId = () => uuid({ msecs: world.clock.now() });

  return async (event: APIGatewayProxyEventV2): Promise<HttpReply> => {
    const telemetry = emfTelemetry("ingest", world.write);
    const answered = await guarded(telemetry, async () => {
      const producer = await authorize(tokens, event);
      if (!producer.ok) return problemReply(producer.refusal);
      const body = jsonBody(event);
      if (!body.ok) return problemReply(body.refusal);
      const items = await ingest({ queue, clock: world.clock, newId, telemetry }, producer.value, body.value);
      return items.ok ? itemsReply(items.value) : problemReply(items.refusal);
    });
    telemetry.flush();
    return answered;
  };
}

/** An array is 202 as soon as one message is queued; otherwise its status is that of its first refusal. */
function itemsReply(items: Item | Item[]): HttpReply {
  if (!Array.isArray(items))
    return items.state === "queued" ? reply(202, items) : problemReply(items.problem);
  const [first] = items;
  const all = items.every((item) => item.state === "refused");
  return reply(all && first?.state === "refused" ? first.problem.status : 202, items);
}
