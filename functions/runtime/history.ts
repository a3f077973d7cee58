import { type HistoryDeps, history } from "../../shared/pipeline/socket/history.ts";
import type { Identity } from "../../shared/protocol/grant.ts";
import { HistoryQuery } from "../../shared/protocol/history.ts";
import { parse } from "../../shared/protocol/parse.ts";
import { OWN_STREAM } from "../../shared/protocol/stream-frame.ts";
import { type HttpEvent, queryOf } from "./event.ts";
import { type HttpReply, problemReply, reply } from "./http.ts";

/** GET /v1/history. A client's token reads the topics that it may subscribe to, and what its own user was sent. */
export async function historyReply(
  deps: HistoryDeps,
  { sub, subscribe }: Identity,
  event: HttpEvent,
): Promise<HttpReply> {
  const query = parse(HistoryQuery, queryOf(event), "REQUEST_INVALID");
  if (!query.ok) return problemReply(query.refusal);
  const { topic = OWN_STREAM, since, last } = query.value;
  const found = await history(deps, { user: sub, subscribe }, { topic, since, last });
  return found.ok ? reply(200, found.value) : problemReply(found.refusal);
}
