import { expect, test } from "vitest";
import { ingestFunction } from "../../functions/aws/ingest.ts";
import { openApi } from "../../shared/api/openapi.ts";
import { settings } from "../../shared/settings/settings.ts";
import { emulators, postOf, sqsPeer } from "../functions/support.ts";
import { tokenFor } from "../support/client.ts";
import { faults } from "./documents.ts";

const functions = emulators();
const GOOD = { target: { topic: "orders" }, data: 1 };

/** An ingest function whose SQS takes nothing, or says that each lane holds eleven messages where ten may wait. */
async function ingestOver(sqs: "down" | "full") {
  const { url } = await sqsPeer({ takes: sqs === "full", waiting: () => 11 });
  const { runtime } = functions.runtime("ingest");
  const SETTINGS = JSON.stringify(
    settings({ lanes: { normal: { backlogLimitMessages: sqs === "full" ? 10 : 100 } } }),
  );
  return ingestFunction({ ...runtime, env: { ...runtime.env, SETTINGS, AWS_ENDPOINT_URL_SQS: url } });
}

test.each([
  { what: "a queue that is down", sqs: "down", status: 503, code: "QUEUE_UNAVAILABLE" },
  { what: "a lane that is full", sqs: "full", status: 429, code: "LANE_FULL" },
] as const)("the OpenAPI document has what a post is answered over $what, by itself and in an array", async ({
  sqs,
  status,
  code,
}) => {
  const ingest = await ingestOver(sqs);
  const token = await tokenFor("shop");
  // A container's first request is taken unseen, and looks.
  await ingest(postOf(token, GOOD));
  for (const body of [GOOD, [GOOD]]) {
    const answer = await ingest(postOf(token, body));
    expect(answer.statusCode).toBe(status);
    const media = String(answer.headers?.["content-type"]);
    const place = ["paths", "/v1/messages", "post", "responses", String(status), "content", media] as const;
    expect(faults(["openapi", ...place, "schema"], JSON.parse(String(answer.body)))).toEqual([]);
    const described = place.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], openApi());
    if (media === "application/problem+json")
      expect((described as { examples: object }).examples).toHaveProperty(code);
  }
});
