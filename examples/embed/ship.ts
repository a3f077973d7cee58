import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SignJWT } from "jose";

// Set by addPublisher.
const { TAGWIRE_URL: url, TAGWIRE_SECRET_ID: secretId } = process.env;
const secrets = new SecretsManagerClient();

/** Tells everyone who listens to `orders` that an order was shipped. */
export const handler = async ({ order }: { order: number }) => {
  const response = await fetch(`${url}/v1/messages`, {
    method: "POST",
    headers: { authorization: `Bearer ${await token()}`, "content-type": "application/json" },
    body: JSON.stringify({ target: { topic: "orders" }, event: "order.shipped", data: { order } }),
  });
  return { status: response.status, message: await response.json() };
};

let key: Promise<Uint8Array> | undefined;
let readAt = 0;

/** A token that may publish to `orders` and nothing else, for five minutes. The secret is read again every hour. */
async function token(): Promise<string> {
  if (key === undefined || Date.now() - readAt > 3_600_000) {
    key = secret();
    readAt = Date.now();
    key.catch(() => {
      key = undefined;
    });
  }
  return new SignJWT({ tagwire: { publish: ["topic:orders"] } })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject("shop")
    .setExpirationTime("5 minutes")
    .sign(await key);
}

async function secret(): Promise<Uint8Array> {
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: secretId }));
  return new TextEncoder().encode(SecretString);
}
