import { AwsSolutionsChecks } from "cdk-nag";
import { expect, test } from "vitest";
import { routerStack } from "./support.ts";

const ISSUER = { issuer: "https://id.example.com", audience: "push" };

test.each([
  { why: "as it comes, with tracing", props: { tracing: true } },
  { why: "without an access log and a secret", props: { http: { accessLog: false }, auth: ISSUER } },
])("cdk-nag finds nothing $why", ({ props }) => {
  const { stack } = routerStack(props);
  expect(new AwsSolutionsChecks().validateScope(stack).violations).toEqual([]);
});
