import { expect, test } from "vitest";
import { readVariables } from "../../local/variables.ts";

test.each([
  { env: { PORT: "abc" }, says: 'PORT must be 0-65535, got "abc"' },
  { env: { PORT: "70000" }, says: 'PORT must be 0-65535, got "70000"' },
  {
    env: { TAGWIRE_SECRET: "" },
    says: "TAGWIRE_SECRET is empty: set at least 32 bytes, or unset it to use the development secret",
  },
  {
    env: { TAGWIRE_ORIGINS: "https://app.example,app.example" },
    says: 'TAGWIRE_ORIGINS must list origins such as https://app.example, got "app.example"',
  },
  {
    env: { TAGWIRE_ORIGINS: "https://app.example/page" },
    says: 'TAGWIRE_ORIGINS must list origins such as https://app.example, got "https://app.example/page"',
  },
  { env: { TAGWIRE_SECRET: "short" }, says: "TAGWIRE_SECRET must have at least 32 bytes, got 5" },
])("a wrong setting is refused with what would do: $says", ({ env, says }) => {
  expect(() => readVariables(env)).toThrow(new Error(says));
});
