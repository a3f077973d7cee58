import type { Stack } from "aws-cdk-lib";
import { Match } from "aws-cdk-lib/assertions";
import { DomainName } from "aws-cdk-lib/aws-apigatewayv2";
import { Certificate } from "aws-cdk-lib/aws-certificatemanager";
import { HostedZone } from "aws-cdk-lib/aws-route53";
import { describe, expect, test } from "vitest";
import type { TagwireProps } from "../../infra/index.ts";
import { synth } from "./support.ts";

const ARN = "arn:aws:acm:eu-central-1:111122223333:certificate/1";
const certificateOf = (stack: Stack) => Certificate.fromCertificateArn(stack, "Certificate", ARN);
const zoneOf = (stack: Stack) =>
  HostedZone.fromHostedZoneAttributes(stack, "Zone", { hostedZoneId: "Z1", zoneName: "example.com" });

const both = (stack: Stack): TagwireProps => {
  const certificate = certificateOf(stack);
  return {
    http: { domain: { domainName: "api.example.com", certificate } },
    socket: { domain: { domainName: "push.example.com", certificate }, stageName: "blue" },
  };
};

describe("a router with a host name for each API", () => {
  const { template, router, variablesOf, idOf } = synth(both, "eu-central-1");

  test.each([
    { host: "api.example.com", api: router.httpApi, stage: "$default", stageId: /^RouterHttpApiStage/ },
    { host: "push.example.com", api: router.socketApi, stage: "blue", stageId: /^RouterSocketApiStage/ },
  ])("$host has its certificate, takes TLS 1.2 and later, and leads to its API as a whole", ({
    host,
    api,
    stage,
    stageId,
  }) => {
    const [[id, name] = expect.fail()] = Object.entries(
      template.findResources("AWS::ApiGatewayV2::DomainName", { Properties: { DomainName: host } }),
    );
    expect(name["Properties"].DomainNameConfigurations).toEqual([
      { CertificateArn: ARN, EndpointType: "REGIONAL", SecurityPolicy: "TLS_1_2" },
    ]);
    const [mapping, ...others] = Object.values(
      template.findResources("AWS::ApiGatewayV2::ApiMapping", { Properties: { DomainName: { Ref: id } } }),
    );
    expect(others).toEqual([]);
    expect(mapping?.["Properties"]).toEqual({
      ApiId: { Ref: idOf(api) },
      DomainName: { Ref: id },
      Stage: stage,
    });
    expect(mapping?.["DependsOn"]).toContainEqual(expect.stringMatching(stageId));
  });

  test("the addresses are of these hosts, without a stage", () => {
    expect(router.httpUrl).toBe("https://api.example.com");
    expect(router.socketUrl).toBe("wss://push.example.com");
    expect(router.outputs()).toMatchObject({
      HttpUrl: router.httpUrl,
      SocketUrl: router.socketUrl,
      HttpDomainTarget: router.httpDomain?.regionalDomainName,
      SocketDomainTarget: router.socketDomain?.regionalDomainName,
    });
  });

  test("the consumer posts to the API's own host, which knows @connections", () => {
    const endpoint = JSON.stringify(variablesOf(router.functions.consume)["SOCKET_ENDPOINT"]);
    expect(endpoint).toMatch(
      new RegExp(`"https://",\\{"Ref":"${idOf(router.socketApi)}"\\},"\\.execute-api\\..+/blue"`),
    );
    const apis = Object.values(template.findResources("AWS::ApiGatewayV2::Api"));
    for (const { Properties } of apis) expect(Properties).not.toHaveProperty("DisableExecuteApiEndpoint");
  });

  test("without a zone there is no record: its owner makes it", () => {
    template.resourceCountIs("AWS::Route53::RecordSet", 0);
  });
});

test("with a zone each host has an alias record there", () => {
  const { template } = synth((stack) => {
    const hostedZone = zoneOf(stack);
    const { http, socket } = both(stack);
    return {
      http: { domain: { ...http?.domain, hostedZone } as never },
      socket: { domain: { ...socket?.domain, hostedZone } as never },
    };
  }, "eu-central-1");
  template.resourceCountIs("AWS::Route53::RecordSet", 2);
  for (const [host, id] of [
    ["api.example.com.", "^RouterHttpApiDomain"],
    ["push.example.com.", "^RouterSocketApiDomain"],
  ] as const) {
    const at = (attribute: string) => ({ "Fn::GetAtt": [Match.stringLikeRegexp(id), attribute] });
    template.hasResourceProperties("AWS::Route53::RecordSet", {
      Name: host,
      Type: "A",
      HostedZoneId: "Z1",
      AliasTarget: { DNSName: at("RegionalDomainName"), HostedZoneId: at("RegionalHostedZoneId") },
    });
  }
});

test("a domain of yours is mapped and nothing else is made of it", () => {
  const { template, router } = synth((stack) => {
    const domainName = "push.example.com";
    return {
      socket: { domain: new DomainName(stack, "Mine", { domainName, certificate: certificateOf(stack) }) },
    };
  }, "eu-central-1");
  template.resourceCountIs("AWS::ApiGatewayV2::DomainName", 1);
  template.hasResourceProperties("AWS::ApiGatewayV2::ApiMapping", {
    DomainName: { Ref: Match.stringLikeRegexp("^Mine") },
  });
  expect(router.socketUrl).toMatch(/^wss:\/\/\$\{Token/);
  expect(router.httpDomain).toBeUndefined();
});

test("an HTTP API and a WebSocket API cannot share a host name", () => {
  expect(() =>
    synth((stack) => {
      const domain = { domainName: "push.example.com", certificate: certificateOf(stack) };
      return { http: { domain }, socket: { domain } };
    }),
  ).toThrow("http.domain and socket.domain must be two host names, got push.example.com twice");
});

test("on an emulator the addresses are the emulator's, with a domain too", () => {
  const { template, router } = synth((stack) => ({
    ...both(stack),
    emulator: { endpoint: "http://127.0.0.1:4566" },
  }));
  template.resourceCountIs("AWS::ApiGatewayV2::DomainName", 0);
  expect(router.httpUrl).toMatch(/^http:\/\/127\.0\.0\.1:4566\//);
  expect(router.socketUrl).toMatch(/^ws:\/\/127\.0\.0\.1:4566\//);
  expect(router.outputs()).not.toHaveProperty("HttpDomainTarget");
});
