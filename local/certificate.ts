import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { messageOf } from "../shared/protocol/errors.ts";

/** A TLS certificate with those that it stands on, and its private key, as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** The variables that name the files of a certificate. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** Reads a certificate. Throws an error that names the file and what would do. */
export function readCertificate(files: CertificateFiles): Certificate {
  const cert = textOf("TAGWIRE_TLS_CERT", files.cert);
  const key = textOf("TAGWIRE_TLS_KEY", files.key);
  check(
    () => new X509Certificate(cert),
    `TAGWIRE_TLS_CERT must name a certificate as PEM, got ${files.cert}`,
  );
  check(
    () => createSecureContext({ key }),
    `TAGWIRE_TLS_KEY must name a private key as PEM without a passphrase, got ${files.key}`,
  );
  check(
    () => createSecureContext({ cert, key }),
    `the key in ${files.key} is not that of the certificate in ${files.cert}`,
  );
  return { cert, key };
}

/** When it ends, in milliseconds since 1970. */
export const endOf = ({ cert }: Certificate): number => Date.parse(new X509Certificate(cert).validTo);

function textOf(variable: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new Error(`${variable} must name a file that can be read: ${messageOf(cause)}`, { cause });
  }
}

function check(act: () => unknown, what: string): void {
  try {
    act();
  } catch (cause) {
    throw new Error(`${what} (${messageOf(cause)})`, { cause });
  }
}
