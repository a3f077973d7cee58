import { backlog } from "../shared/pipeline/ingest/backlog.ts";
import { ingest } from "../shared/pipeline/ingest/ingest.ts";
import type { MessageQueue, QuotaBeats, Tokens } from "../shared/ports.ts";
import { refuse } from "../shared/protocol/errors.ts";
import { isProducer } from "../shared/protocol/grant.ts";
import type { Item } from "../shared/protocol/item.ts";
import { traceparentFrom } from "../shared/protocol/traceparent.ts";
import { lifeSeconds } from "../shared/settings/derived.ts";
import { backlogPolicy } from "../shared/settings/policy.ts";
import type { HandlerPorts } from "./ports.ts";
import { type HttpEvent, headerOf, requestIdOf } from "./runtime/event.ts";
import {
  authorize,
  guarded,
  type HttpReply,
  jsonBody,
  problemReply,
  reply,
  requestFields,
  retryAfterHeader,
} from "./runtime/http.ts";
import { newIds } from "./runtime/new-id.ts";

export interface IngestPorts extends HandlerPorts {
  readonly tokens: Tokens;
  readonly queue: Pick<MessageQueue, "send" | "backlog">;
  /** What containers say that they send. @default nobody says it */
  readonly beats?: Pick<QuotaBeats, "read">;
}

/** POST /v1/messages. */
export function ingestHandler({
  tokens,
  queue,
  beats,
  settings,
  clock,
  random,
  telemetry: newTelemetry,
}: IngestPorts) {
  const backlogs = backlog({
    ...{ queue, clock, policy: backlogPolicy(settings) },
    ...(beats ? { beats } : {}),
  });
  const newId = newIds(clock, random);

  return async (event: HttpEvent): Promise<HttpReply> => {
    const telemetry = newTelemetry();
    const id = requestIdOf(event);
    return guarded({ telemetry, fields: requestFields(id) }, async () => {
      const producer = await authorize(tokens, event);
      if (!producer.ok) return problemReply(producer.refusal);
      if (!isProducer(producer.value)) return problemReply(NO_GRANT.refusal);
      const body = jsonBody(event);
      if (!body.ok) return problemReply(body.refusal);
      const items = await ingest(
        {
          queue,
          backlog: backlogs,
          clock,
          newId,
          telemetry,
          lifeSeconds: lifeSeconds(settings),
          streams: settings,
          request: { id, traceparent: traceparentFrom(headerOf(event, "traceparent")) },
          failureReceiptsOnly: settings.failureReceiptsOnly,
        },
        producer.value,
        body.value,
      );
      return items.ok ? itemsReply(items.value) : problemReply(items.refusal);
    });
  };
}

/** Said before the body is read: who may publish nothing costs no more than a token. */
const NO_GRANT = refuse("TARGET_FORBIDDEN", "the token grants no publishing: it has no publish patterns");

/** Names the receipt (RFC 9110 §10.2.2). */
const accepted = (item: Extract<Item, { state: "queued" }>): HttpReply =>
  reply(202, item, { location: `/v1/messages/${item.id}` });

/** An array is 202 as soon as one message is queued; otherwise its status is that of its first refusal. */
function itemsReply(items: Item | Item[]): HttpReply {
  if (!Array.isArray(items)) return items.state === "queued" ? accepted(items) : problemReply(items.problem);
  const [first] = items;
  if (first?.state !== "refused" || items.some(({ state }) => state === "queued")) return reply(202, items);
  return reply(first.problem.status, items, retryAfterHeader(first.problem));
}
