import { requestSigner } from "../../../shared/adapters/apigateway/request-signer.ts";
import { CREDENTIALS, REGION } from "../harness/aws.ts";

export type LogRecord = Readonly<Record<string, unknown>>;

/** The CloudWatch logs of an account. */
export interface Logs {
  /**
   * Runs a query of Logs Insights over the log groups whose name contains `group`, on what was logged since (milliseconds
   * since 1970). Returns the fields that Insights finds in a record of JSON, in the order of the query.
   */
  query(text: string, group: string, since: number): Promise<readonly LogRecord[]>;
}

export function logsOf(endpoint: string): Logs {
  const sign = requestSigner({ origin: endpoint, region: async () => REGION, service: "logs" });
  const call = async <T>(action: string, input: object): Promise<T> => {
    const request = {
      ...{ method: "POST" as const, path: "/", body: Buffer.from(JSON.stringify(input)) },
      ...{ identity: CREDENTIALS, at: Date.now() },
    };
    const { headers, body } = await sign(request);
    const response = await fetch(endpoint, {
      ...{ method: "POST", body: new Uint8Array(body ?? []) },
      headers: { ...headers, "x-amz-target": `Logs_20140328.${action}` },
    });
    if (!response.ok) throw new Error(`${action}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  };
  return {
    async query(queryString, group, since) {
      const { logGroups } = await call<{ logGroups: { logGroupName: string }[] }>("DescribeLogGroups", {});
      const { queryId } = await call<{ queryId: string }>("StartQuery", {
        ...{ queryString, limit: 10_000, startTime: Math.floor(since / 1_000) },
        endTime: Math.ceil(Date.now() / 1_000),
        logGroupNames: logGroups
          .map(({ logGroupName }) => logGroupName)
          .filter((name) => name.includes(group)),
      });
      const { results } = await call<{ results: { field: string; value: string }[][] }>("GetQueryResults", {
        queryId,
      });
      return results.map((row) => fieldsIn(row.find(({ field }) => field === "@message")?.value ?? ""));
    },
  };
}

const fieldsIn = (line: string): LogRecord => (line.startsWith("{") ? JSON.parse(line) : {});
