import { type ILogGroup, QueryDefinition, QueryString } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";

export interface StoryProps {
  /** What the query is called: a path, of which the console makes folders. */
  readonly name: string;
  /** The logs of the functions. */
  readonly logGroups: ILogGroup[];
}

/** What docs/runbook.md says to put an id in the place of. */
const EXAMPLE = "MESSAGE-ID";

/** A query that CloudWatch Logs Insights keeps: all that the functions logged of one message. */
export class Story extends Construct {
  constructor(scope: Construct, id: string, { name, logGroups }: StoryProps) {
    super(scope, id);
    new QueryDefinition(this, "Query", {
      queryDefinitionName: name,
      logGroups,
      queryString: new QueryString({
        fields: [
          "@timestamp",
          "service",
          "message",
          "producer",
          "lane",
          "runId",
          "sent",
          "reason",
          "@message",
        ],
        filterStatements: [`messageId = "${EXAMPLE}"`],
        sort: "@timestamp",
      }),
    });
  }
}
