import { expect, test } from "vitest";
import { ingestHandler } from "../../functions/ingest.ts";
import { tokenFor } from "../support/client.ts";
import { emulators, postOf } from "./support.ts";

const functions = emulators();

test("a token of a secret grants nothing under tagwire if the router is told another name of the claim", async () => {
  const { runtime } = functions.runtime("ingest");
  const TOKENS = JSON.stringify({ secretId: "tokens", claim: "https://acme.example/tagwire" });
  const event = postOf(await tokenFor("shop"), { target: { topic: "orders" }, data: 1 });
  expect(await ingestHandler(runtime)(event)).toMatchObject({ statusCode: 202 });
  const told = ingestHandler({ ...runtime, env: { ...runtime.env, TOKENS } });
  expect(await told(event)).toMatchObject({ statusCode: 403 });
});
