import type { Settings } from "../../shared/settings/schema.ts";
import type { Account } from "./account.ts";
import { type Finding, ok, unknown, withoutValue, wouldFail } from "./check.ts";

/** Requests per second over HTTP, WebSocket and callback APIs together. */
const THROTTLE = "L-8A5B8E43";
/** New WebSocket connections per second. */
const CONNECTS = "L-9ED1E49A";

/** Regions where an account has 2,500 requests a second unless it asks for more (API Gateway quotas, 2026-06-10). */
const NEWER_REGIONS = [
  "af-south-1",
  "ap-south-2",
  "ap-southeast-3",
  "ap-southeast-4",
  "ap-southeast-5",
  "ap-southeast-7",
  "ca-west-1",
  "eu-central-2",
  "eu-south-1",
  "eu-south-2",
  "il-central-1",
  "me-central-1",
  "mx-central-1",
];
const NEWER_QUOTA = 2_500;

/** Whether the account has the requests per second that the settings share out. */
export async function checkRequests(account: Account, settings: Settings): Promise<Finding> {
  const planned = settings.quotaRequestsPerSecond;
  const answer = await account.quota("apigateway", THROTTLE);
  if (answer.kind === "value") {
    const has = `${answer.value} requests a second; the settings count on ${planned}`;
    return answer.value >= planned ? ok(has) : wouldFail(has, lower(answer.value));
  }
  const finding = withoutValue(answer, {
    what: "API Gateway's request quota",
    action: "servicequotas:GetServiceQuota",
  });
  if (finding.status !== "unknown" || planned <= NEWER_QUOTA || !NEWER_REGIONS.includes(account.region))
    return finding;
  return unknown(
    `${finding.detail}; an account in ${account.region} has ${NEWER_QUOTA} requests a second unless it asked for more`,
    lower(NEWER_QUOTA),
  );
}

/** How many connections may open in a second. Too few fail nothing; clients come again. */
export async function checkConnects(account: Account): Promise<Finding> {
  const answer = await account.quota("apigateway", CONNECTS);
  return answer.kind === "value"
    ? ok(`${answer.value} new connections a second`)
    : withoutValue(answer, {
        what: "the quota of new connections",
        action: "servicequotas:GetServiceQuota",
      });
}

const lower = (quota: number) =>
  `deploy with -c tagwire:settings='{"quotaRequestsPerSecond":${quota}}', or ask for more (Service Quotas, apigateway, ${THROTTLE})`;
