import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import aws4 from "aws4";
import { creation } from "../../../local/twin/emulators/table.ts";
import { TABLES, type TableDescription } from "../../../shared/settings/tables.ts";
import type { Caller } from "../../../testing/caller.ts";

/** moto's. */
export const PLACE = { region: "us-east-1", account: "123456789012" };

export interface PolicyStatement {
  readonly Effect: "Allow";
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
}

/** An account in which nothing is checked yet. */
export function account(endpoint: string) {
  const config = {
    ...{ endpoint, region: PLACE.region },
    credentials: { accessKeyId: "setup", secretAccessKey: "setup" },
  };
  const iam = new IAMClient(config);
  return {
    /** Returns its address. */
    async queue(QueueName: string): Promise<string> {
      const sqs = new SQSClient({ ...config, useQueueUrlAsEndpoint: false });
      return (await sqs.send(new CreateQueueCommand({ QueueName }))).QueueUrl ?? "";
    },
    async table(TableName: string, description: TableDescription): Promise<void> {
      await new DynamoDBClient(config).send(creation(TableName, description));
    },
    /** Returns its ARN. */
    async secret(Name: string, SecretString: string): Promise<string> {
      const client = new SecretsManagerClient(config);
      return (await client.send(new CreateSecretCommand({ Name, SecretString }))).ARN ?? "";
    },
    /** Makes the role of a function, and credentials for it as Lambda does. */
    async role(name: string, statements: readonly PolicyStatement[]): Promise<Caller> {
      const trust = { Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole" };
      const RoleName = `tagwire-${name}`;
      await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: document([trust]) }));
      const policy = { RoleName, PolicyName: "own", PolicyDocument: document(statements) };
      await iam.send(new PutRolePolicyCommand(policy));
      return assume(endpoint, name, `arn:aws:iam::${PLACE.account}:role/${RoleName}`);
    },
  };
}

/** The names of the tables, by the variable that holds them. */
export const TABLE_VARIABLES = Object.entries(TABLES).map(([table, description]) => ({
  variable: `${table.toUpperCase()}_TABLE`,
  name: `tagwire-${table}`,
  description,
}));

const document = (Statement: readonly object[]) => JSON.stringify({ Version: "2012-10-17", Statement });

/** There is no client of STS among the dependencies. */
async function assume(endpoint: string, name: string, RoleArn: string): Promise<Caller> {
  const query = { Action: "AssumeRole", Version: "2011-06-15", RoleArn, RoleSessionName: name };
  const body = String(new URLSearchParams(query));
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const request = { ...{ service: "sts", region: PLACE.region, method: "POST", path: "/" }, headers, body };
  const signed = aws4.sign(request, { accessKeyId: "setup", secretAccessKey: "setup" });
  const { Host: _, "Content-Length": __, ...sent } = signed.headers as Record<string, string>;
  const answer = await (await fetch(endpoint, { method: "POST", headers: sent, body })).text();
  const field = (tag: string) => {
    const found = new RegExp(`<${tag}>([^<]+)</${tag}>`).exec(answer)?.[1];
    if (found === undefined) throw new Error(`no ${tag} in ${answer}`);
    return found;
  };
  return {
    name,
    accessKeyId: field("AccessKeyId"),
    secretAccessKey: field("SecretAccessKey"),
    sessionToken: field("SessionToken"),
  };
}
