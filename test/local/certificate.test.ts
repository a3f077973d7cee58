import { join } from "node:path";
import { expect, test } from "vitest";
import { endOf, readCertificate } from "../../local/certificate.ts";

const file = (name: string) =>
  join(new URL("../support/certificates/", import.meta.url).pathname, `${name}.pem`);

const [CERT, KEY, OTHER_KEY, ENCRYPTED] = ["first", "first-key", "second-key", "encrypted-key"].map(file);

test.each([
  { cert: "none.pem", key: KEY, says: "TAGWIRE_TLS_CERT must name a file that can be read: ENOENT" },
  { cert: CERT, key: "none.pem", says: "TAGWIRE_TLS_KEY must name a file that can be read: ENOENT" },
  { cert: KEY, key: KEY, says: "TAGWIRE_TLS_CERT must name a certificate as PEM, got" },
  {
    ...{ cert: CERT, key: CERT },
    says: "TAGWIRE_TLS_KEY must name a private key as PEM without a passphrase, got",
  },
  {
    ...{ cert: CERT, key: ENCRYPTED },
    says: "TAGWIRE_TLS_KEY must name a private key as PEM without a passphrase, got",
  },
  { cert: CERT, key: OTHER_KEY, says: `the key in ${OTHER_KEY} is not that of the certificate in ${CERT}` },
])("a certificate that is not good is refused: $says", ({ cert = "", key = "", says }) => {
  expect(() => readCertificate({ cert, key })).toThrow(says);
});

test("a certificate is read with its key, and says when it ends", () => {
  const certificate = readCertificate({ cert: CERT ?? "", key: KEY ?? "" });
  expect(certificate.cert).toContain("BEGIN CERTIFICATE");
  expect(certificate.key).toContain("PRIVATE KEY");
  expect(new Date(endOf(certificate)).getUTCFullYear()).toBe(2126);
});
