import { Parser } from "@asyncapi/parser";
import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, test } from "vitest";
import { asyncApi } from "../../shared/api/asyncapi.ts";
import { openApi } from "../../shared/api/openapi.ts";

/** The severity of an error, among the parser's diagnostics. */
const ERROR = 0;

test("the AsyncAPI parser accepts the document of the socket", async () => {
  const { document, diagnostics } = await new Parser().parse(JSON.stringify(asyncApi()));
  expect(diagnostics.filter(({ severity }) => severity === ERROR)).toEqual([]);
  expect(document?.allMessages().all()).toHaveLength(12);
});

test("a frame that the document does not have is an error to the AsyncAPI parser", async () => {
  const document = asyncApi();
  const broken = { ...document, components: { ...document.components, messages: {} } };
  const { diagnostics } = await new Parser().parse(JSON.stringify(broken));
  expect(diagnostics.filter(({ severity }) => severity === ERROR)).not.toEqual([]);
});

test("the document of the HTTP API is one of OpenAPI 3.1", async () => {
  const validator = new Validator();
  expect(await validator.validate(openApi())).toEqual({ valid: true });
  expect(validator.version).toBe("3.1");
});
