import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import { expect, test } from "vitest";
import { synth } from "./support.ts";

test.each([
  "ingest",
  "receipts",
  "socket",
] as const)("%s reads the grant of a token of your secret under the name that you give the claim", (name) => {
  const claim = "https://acme.example/tagwire";
  const { router, variablesOf } = synth((stack) => ({
    auth: { secret: Secret.fromSecretNameV2(stack, "Own", "shop/tokens"), claim },
  }));
  expect(JSON.stringify(variablesOf(router.functions[name])["TOKENS"])).toContain(
    JSON.stringify(`","claim":"${claim}"}`).slice(1, -1),
  );
});
