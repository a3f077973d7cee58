import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { mintToken, publisher } from "tagwire/server";

// Set by addPublisher.
const { TAGWIRE_URL: url = "", TAGWIRE_SECRET_ID: secretId } = process.env;
const secrets = new SecretsManagerClient();

/** Publishes to `orders` and to nothing else. Its tokens hold for five minutes, so a new secret is soon in use. */
const router = publisher({
  url,
  token: async () => {
    const { SecretString: secret = "" } = await secrets.send(
      new GetSecretValueCommand({ SecretId: secretId }),
    );
    return mintToken({ user: "shop", publish: ["topic:orders"], ttlSeconds: 300, secret });
  },
});

/** Tells everyone who listens to `orders` that an order was shipped. */
export const handler = ({ order }: { order: number }) =>
  router.publish({ target: { topic: "orders" }, event: "order.shipped", data: { order } });
