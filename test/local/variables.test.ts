import { expect, test } from "vitest";
import { readVariables } from "../../local/variables.ts";

const SECRET = "a secret of at least 32 bytes, as long as its hash";

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
  { env: { LOG_LEVEL: "loud" }, says: 'LOG_LEVEL must be one of error, warn, info, got "loud"' },
  {
    env: { TAGWIRE_TLS_CERT: "cert.pem" },
    says: "TAGWIRE_TLS_KEY is missing: TAGWIRE_TLS_CERT names a file, and TLS needs both",
  },
  {
    env: { TAGWIRE_TLS_KEY: "key.pem" },
    says: "TAGWIRE_TLS_CERT is missing: TAGWIRE_TLS_KEY names a file, and TLS needs both",
  },
  {
    env: { TAGWIRE_TRUSTED_PROXIES: "10.0.0.0/8, proxy", TAGWIRE_SECRET: SECRET },
    says: 'TAGWIRE_TRUSTED_PROXIES: a trusted proxy must be an address or a range such as 10.0.0.0/8, got "proxy"',
  },
  {
    env: { TAGWIRE_TRUSTED_PROXIES: "10.0.0.0/8" },
    says: "TAGWIRE_SECRET is missing: the development secret is public, and TAGWIRE_TRUSTED_PROXIES lets other machines in",
  },
  {
    env: { TAGWIRE_ISSUER: "https://login.example" },
    says: "TAGWIRE_AUDIENCE is missing: set it to the `aud` of the issuer's tokens",
  },
  {
    env: { TAGWIRE_ISSUER: "login.example", TAGWIRE_AUDIENCE: "push" },
    says: 'TAGWIRE_ISSUER must be an address such as https://login.example, got "login.example"',
  },
  {
    env: { TAGWIRE_ISSUER: "https://login.example", TAGWIRE_AUDIENCE: "push", TAGWIRE_SECRET: SECRET },
    says: "TAGWIRE_ISSUER and TAGWIRE_SECRET are both set: tokens are of an issuer or of a secret",
  },
  {
    env: { TAGWIRE_AUDIENCE: "push" },
    says: "TAGWIRE_ISSUER is missing: TAGWIRE_AUDIENCE says more of an issuer",
  },
  { env: { TAGWIRE_SECRET: "short" }, says: "TAGWIRE_SECRET must have at least 32 bytes, got 5" },
])("a wrong setting is refused with what would do: $says", ({ env, says }) => {
  expect(() => readVariables(env)).toThrow(new Error(says));
});
