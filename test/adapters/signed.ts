import type { AwsCredentialIdentity as Identity } from "@smithy/types";
import { onTestFinished } from "vitest";
import { signedSockets } from "../../shared/adapters/apigateway/signed-sockets.ts";
import type { ConnectionId } from "../../shared/protocol/tag.ts";
import { gateway, type Respond } from "./gateway.ts";

export const ID = "c1=" as ConnectionId;
export const FRAME = Buffer.from("{}");
export const NOON = Date.UTC(2026, 0, 1, 12);
export const HOUR = 3_600_000;

export const identity = (name: string): Identity => ({ accessKeyId: name, secretAccessKey: "secret" });

interface Options {
  readonly answer?: Respond;
  readonly timeout?: number;
  readonly keepAlive?: number;
  readonly now?: () => number;
  readonly credentials?: (options?: { forceRefresh?: boolean }) => Promise<Identity>;
}

/** Signed sockets to a gateway that answers as the test says, and what it has seen. */
export async function open({
  answer,
  now = () => NOON,
  credentials = async () => identity("ann"),
  ...http
}: Options = {}) {
  const { endpoint, seen, connections } = await gateway(answer);
  const sockets = signedSockets({
    endpoint,
    region: async () => "us-east-1",
    credentials,
    timeout: 5_000,
    connections: 10,
    now,
    ...http,
  });
  onTestFinished(() => sockets.destroy());
  const signers = () => seen.map(({ headers }) => /Credential=(\w+)/.exec(headers.authorization ?? "")?.[1]);
  const times = () => seen.map(({ headers }) => headers["x-amz-date"]);
  return { sockets, seen, signers, times, connections };
}
