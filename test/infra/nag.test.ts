import { AwsSolutionsChecks } from "cdk-nag";
import { expect, test } from "vitest";
import { routerStack } from "./support.ts";

test.each([
  { why: "as it comes", props: {} },
  { why: "with tracing", props: { tracing: true } },
  { why: "without an access log", props: { http: { accessLog: false } } },
  {
    why: "with tokens of an issuer",
    props: { auth: { issuer: "https://id.example.com", audience: "push" } },
  },
])("cdk-nag finds nothing $why", ({ props }) => {
  const { stack } = routerStack(props);
  expect(new AwsSolutionsChecks().validateScope(stack).violations).toEqual([]);
});
