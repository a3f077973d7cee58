import type { IncomingMessage, ServerResponse } from "node:http";
import { authorize } from "../../functions/runtime/http.ts";
import type { DeadLetters, Tokens } from "../../shared/ports.ts";
import { DEAD_LETTER_CALLS, type DeadLetterCall } from "../../shared/protocol/dead-letter-calls.ts";
import { type Result, refuse, TagwireError } from "../../shared/protocol/errors.ts";
import { BODY_BYTES } from "../../shared/protocol/limits.ts";
import { parse, parseJson } from "../../shared/protocol/parse.ts";
import { readBody } from "../gateway/body.ts";
import { sendJson, sendProblem } from "../gateway/reply.ts";

interface DeadLettersApiDeps {
  readonly deadLetters: DeadLetters;
  readonly tokens: Tokens;
}

/** Answers a request to the dead letters. Returns false for any other, and does nothing then. */
export const deadLettersApi =
  (deps: DeadLettersApiDeps) =>
  async (request: IncomingMessage, response: ServerResponse, path: string): Promise<boolean> => {
    const name = request.method === "POST" && CALL.exec(path)?.[1];
    if (!name || !isCall(name)) return false;
    try {
      const answer = await answerTo(deps, request, name);
      if (answer.ok) sendJson(response, 200, answer.value ?? {});
      else sendProblem(response, answer.refusal);
    } catch (fault) {
      if (!(fault instanceof TagwireError)) throw fault;
      sendProblem(response, { code: fault.code, detail: "try again" });
    }
    return true;
  };

const CALL = /^\/v1\/dead-letters\/([a-z]+)$/;

const isCall = (name: string): name is DeadLetterCall => Object.hasOwn(DEAD_LETTER_CALLS, name);

async function answerTo(
  { deadLetters, tokens }: DeadLettersApiDeps,
  request: IncomingMessage,
  name: DeadLetterCall,
): Promise<Result<unknown>> {
  const caller = await authorize(tokens, { headers: request.headers });
  if (!caller.ok) return caller;
  if (!caller.value.admin)
    return refuse("RECEIPT_FORBIDDEN", "dead letters are for tokens with tagwire.admin");
  const body = await readBody(request, CALL_BYTES);
  if (body === undefined) return refuse("BODY_TOO_LARGE", `a body has at most ${CALL_BYTES} bytes`);
  const json = parseJson(body.toString());
  if (!json.ok) return json;
  const asked = <const N extends DeadLetterCall>(call: N) =>
    parse(DEAD_LETTER_CALLS[call], json.value, "REQUEST_INVALID");
  switch (name) {
    case "receive": {
      const query = asked(name);
      return query.ok
        ? { ok: true, value: await deadLetters.receive(query.value.limit, query.value.visibilitySeconds) }
        : query;
    }
    case "forward": {
      const query = asked(name);
      return query.ok
        ? { ok: true, value: await deadLetters.forward(query.value.lane, query.value.entries) }
        : query;
    }
    case "size":
      return { ok: true, value: await deadLetters.size() };
    default: {
      const query = asked(name);
      if (!query.ok) return query;
      return { ok: true, value: await deadLetters[name](query.value.deadLetters) };
    }
  }
}

/** Ten bodies of a lane, as JSON strings. */
const CALL_BYTES = 10 * 2 * BODY_BYTES;
