import {
  ApiMapping,
  DomainName,
  type IApi,
  type IDomainName,
  type IStage,
  SecurityPolicy,
} from "aws-cdk-lib/aws-apigatewayv2";
import type { ICertificate } from "aws-cdk-lib/aws-certificatemanager";
import { ARecord, type IHostedZone, RecordTarget } from "aws-cdk-lib/aws-route53";
import { ApiGatewayv2DomainProperties } from "aws-cdk-lib/aws-route53-targets";
import { Construct } from "constructs";

/** A host name of yours for one API. */
export interface DomainOptions {
  /** As in push.example.com. An HTTP API and a WebSocket API cannot share one (API Gateway). */
  readonly domainName: string;
  /** A certificate for that name, of AWS Certificate Manager in the Region of the stack. */
  readonly certificate: ICertificate;
  /**
   * The Route 53 zone that gets an alias record of that name.
   * @default none: you make a CNAME record that points to the output `HttpDomainTarget` or `SocketDomainTarget`
   */
  readonly hostedZone?: IHostedZone;
}

export interface DomainProps {
  /** A host name, or a domain that was made elsewhere, whose DNS is its owner's. */
  readonly domain: DomainOptions | IDomainName;
  /** What the whole host name leads to. */
  readonly stage: IStage;
  readonly api: IApi;
}

/** The host name of an API. The API can be reached by its own host, on execute-api, as before. */
export class Domain extends Construct {
  readonly domainName: IDomainName;
  /** As in push.example.com. */
  readonly host: string;

  constructor(scope: Construct, id: string, { domain, api, stage }: DomainProps) {
    super(scope, id);
    this.domainName = isMade(domain) ? domain : this.made(domain);
    this.host = hostOf(domain);
    new ApiMapping(this, "Mapping", { api, domainName: this.domainName, stage });
  }

  private made({ domainName, certificate, hostedZone }: DomainOptions): IDomainName {
    const securityPolicy = SecurityPolicy.TLS_1_2;
    const made = new DomainName(this, "Name", { domainName, certificate, securityPolicy });
    const { regionalDomainName, regionalHostedZoneId } = made;
    if (hostedZone)
      new ARecord(this, "Alias", {
        zone: hostedZone,
        recordName: domainName,
        target: RecordTarget.fromAlias(
          new ApiGatewayv2DomainProperties(regionalDomainName, regionalHostedZoneId),
        ),
      });
    return made;
  }
}

/** The host name of a domain, as in push.example.com. */
export const hostOf = (domain: DomainOptions | IDomainName): string =>
  isMade(domain) ? domain.name : domain.domainName;

const isMade = (domain: DomainOptions | IDomainName): domain is IDomainName => "regionalDomainName" in domain;
