import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, test } from "vitest";
import { READER } from "../../infra/account-quota.ts";
import { synth } from "./support.ts";

type Answer = { readonly status: number; readonly body: object };
/** One answer, or those to one call after the other, of which the last is that to all further ones. */
type Answers = Readonly<Record<string, Answer | readonly Answer[]>>;

const value = (Value: number): Answer => ({ status: 200, body: { Quota: { Value } } });
const fault = (name: string): Answer => ({ status: 400, body: { __type: name, message: "no" } });

let server: Server | undefined;
afterEach(() => void server?.close());

/** Runs the code on an event of CloudFormation. Returns what it tells CloudFormation, and what it asked. */
async function told(event: object, answers: Answers) {
  const asked: string[] = [];
  const pauses: number[] = [];
  const done: { body?: string } = {};
  const answer = async (request: IncomingMessage): Promise<Answer> => {
    if (request.method === "PUT") {
      done.body = await text(request);
      return { status: 200, body: {} };
    }
    const { ServiceCode, QuotaCode } = JSON.parse(await text(request));
    const call = String(request.headers["x-amz-target"]).split(".").at(-1) ?? "";
    const name = `${call} ${ServiceCode} ${QuotaCode}`;
    asked.push(name);
    const given = [answers[call] ?? fault("UnknownOperation")].flat();
    return given[asked.filter((each) => each === name).length - 1] ?? given.at(-1) ?? expect.fail();
  };
  server = createServer(async (request, response) => {
    const { status, body } = await answer(request);
    response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(body));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const real = createRequire(import.meta.url);
  const sdk = real("@aws-sdk/client-service-quotas");
  /** The client of Lambda finds its endpoint, Region and credentials in the environment. */
  const config = {
    ...{ endpoint: url, region: "eu-central-1" },
    credentials: { accessKeyId: "a", secretAccessKey: "s" },
  };
  class ServiceQuotasClient extends sdk.ServiceQuotasClient {
    constructor(given: object) {
      super({ ...given, ...config });
    }
  }
  const module: { handler?: (event: object) => Promise<void> } = {};
  const setTimeout = (then: () => void, milliseconds: number) => {
    pauses.push(milliseconds);
    then();
  };
  new Function("require", "exports", "console", "setTimeout", READER)(
    () => ({ ...sdk, ServiceQuotasClient }),
    module,
    { log() {} },
    setTimeout,
  );
  const sent = { ResponseURL: `${url}/answer`, StackId: "s", RequestId: "r", LogicalResourceId: "l" };
  await module.handler?.({ ...sent, ResourceProperties: { QuotaCode: "L-8A5B8E43" }, ...event });
  return { asked, pauses, told: JSON.parse(done.body ?? "{}") };
}

describe("the reader of the quota", () => {
  const own = "GetServiceQuota apigateway L-8A5B8E43";
  const byDefault = "GetAWSDefaultServiceQuota apigateway L-8A5B8E43";

  test.each([
    { why: "what the account has", answers: { GetServiceQuota: value(20_000) }, says: "20000", asks: [own] },
    {
      why: "what an account has in the Region, if it has none of its own",
      answers: {
        GetServiceQuota: fault("NoSuchResourceException"),
        GetAWSDefaultServiceQuota: value(2_500),
      },
      says: "2500",
      asks: [own, byDefault],
    },
    {
      why: "nothing if it may not ask, and fails no deploy",
      answers: {
        GetServiceQuota: fault("AccessDeniedException"),
        GetAWSDefaultServiceQuota: fault("AccessDeniedException"),
      },
      says: "",
      asks: Array(4).fill([own, byDefault]).flat(),
    },
    {
      why: "what it may read once the right of its new role holds everywhere",
      answers: {
        GetServiceQuota: [fault("AccessDeniedException"), value(20_000)],
        GetAWSDefaultServiceQuota: [value(10_000)],
      },
      says: "20000",
      asks: [own, byDefault, own],
    },
    {
      why: "what the Region gives by default if it may not ask for more",
      answers: {
        GetServiceQuota: fault("AccessDeniedException"),
        GetAWSDefaultServiceQuota: value(2_500),
      },
      says: "2500",
      asks: Array(4).fill([own, byDefault]).flat(),
    },
  ])("tells $why", async ({ answers, says, asks }) => {
    const { asked, pauses, told: answer } = await told({ RequestType: "Create" }, answers);
    expect(asked).toEqual(asks);
    // Lambda kills it after 60 s, and a stack would wait for an hour.
    expect(pauses.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(20_000);
    expect(answer).toEqual({
      ...{ Status: "SUCCESS", StackId: "s", RequestId: "r", LogicalResourceId: "l" },
      PhysicalResourceId: "L-8A5B8E43",
      Data: { RequestsPerSecond: says },
    });
  });

  test("asks nothing when the stack goes", async () => {
    const { asked, told: answer } = await told({ RequestType: "Delete" }, {});
    expect(asked).toEqual([]);
    expect(answer).toMatchObject({ Status: "SUCCESS" });
  });

  test("fits in a template", () => {
    expect(READER.length).toBeLessThanOrEqual(4_096);
  });
});

describe.each(["ingest", "consume"] as const)("%s", (name) => {
  const READS = "AWS::CloudFormation::CustomResource";
  const variable = ({ router, variablesOf }: ReturnType<typeof synth>) =>
    variablesOf(router.functions[name])["QUOTA_REQUESTS_PER_SECOND"];

  test("counts on what Service Quotas says at the deploy", () => {
    const made = synth();
    const [id] = Object.keys(made.template.findResources(READS));
    expect(variable(made)).toEqual({ "Fn::GetAtt": [id, "RequestsPerSecond"] });
  });

  test.each([
    { why: "the settings say it", props: { settings: { quotaRequestsPerSecond: 10_000 } } },
    { why: "it is on an emulator", props: { emulator: { endpoint: "http://127.0.0.1:4566" } } },
  ])("asks nobody if $why", ({ props }) => {
    const made = synth(props);
    expect(variable(made)).toBeUndefined();
    made.template.resourceCountIs(READS, 0);
  });
});
