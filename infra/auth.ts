import { type RemovalPolicy, Stack } from "aws-cdk-lib";
import { Grant, type IGrantable } from "aws-cdk-lib/aws-iam";
import { type IKey, Key } from "aws-cdk-lib/aws-kms";
import type { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { type ISecret, Secret } from "aws-cdk-lib/aws-secretsmanager";
import { Construct } from "constructs";
import { accept } from "./accept.ts";

/** An issuer that signs tokens and publishes its keys. */
export interface Issuer {
  /** What `iss` must be. */
  readonly issuer: string;
  /** What `aud` must be, or contain. */
  readonly audience: string;
  /**
   * Where the issuer publishes its keys.
   * @default the issuer's own /.well-known/jwks.json
   */
  readonly jwksUri?: string;
  /**
   * The claim that holds the grant, as in `https://acme.example/tagwire`.
   * @default tagwire
   */
  readonly claim?: string;
}

/** A secret that signs and verifies tokens (HS256): plain text of at least 32 bytes. */
export interface SharedSecret {
  readonly secret: ISecret;
  /**
   * The claim that holds the grant, as in `https://acme.example/tagwire`.
   * @default tagwire
   */
  readonly claim?: string;
}

export interface AuthProps {
  /** @default a secret that is made here */
  readonly source?: SharedSecret | Issuer;
  readonly removalPolicy: RemovalPolicy;
  /** @default the key that AWS keeps for Secrets Manager */
  readonly encryptionKey?: IKey;
}

/** Whose tokens are trusted. */
export class Auth extends Construct {
  /** Absent where an issuer signs the tokens. */
  readonly secret?: ISecret;
  /** Absent where a secret signs them. */
  readonly issuer?: Issuer;
  /** The variable TOKENS: where a function finds what to verify a token with. Never the secret itself. */
  readonly tokens: string;
  /** The secret, as grants may use it. */
  private readonly readable?: ISecret;
  /** A customer's key that encrypts the secret. */
  private readonly key?: IKey;

  constructor(scope: Construct, id: string, { source, ...props }: AuthProps) {
    super(scope, id);
    if (source && "issuer" in source) {
      const { issuer, audience, jwksUri, claim } = source;
      this.issuer = source;
      this.tokens = this.written({ issuer, audience, ...(jwksUri ? { jwksUri } : {}), ...named(claim) });
      return;
    }
    this.secret = source?.secret ?? this.made(props);
    const { encryptionKey: key } = this.secret;
    if (key) this.key = Key.fromKeyArn(this, "Key", key.keyArn);
    // By its ARN, so that no role of this stack ends up in the policy of a key of another one (aws-cdk#14213).
    this.readable = key && Stack.of(key) !== Stack.of(this) ? byArn(this, this.secret) : this.secret;
    this.tokens = this.written({ secretId: this.secret.secretArn, ...named(source?.claim) });
  }

  /** Lets a function verify tokens. */
  grantVerify(grantee: LambdaFunction): void {
    if (this.readable) this.grantRead(grantee, this.readable);
  }

  /** Lets a grantee read the secret, to sign tokens. */
  grantSign(grantee: IGrantable): Grant {
    if (!this.readable) return Grant.drop(grantee, "an issuer signs the tokens");
    return this.grantRead(grantee, this.readable);
  }

  private grantRead(grantee: IGrantable, secret: ISecret): Grant {
    const read = secret.grantRead(grantee);
    if (!this.key) return read;
    // CDK grants nothing of a key that it knows by its ARN alone.
    const { region } = Stack.of(this);
    const decrypt = Grant.addToPrincipal({
      grantee,
      actions: ["kms:Decrypt"],
      resourceArns: [this.key.keyArn],
      conditions: { StringEquals: { "kms:ViaService": `secretsmanager.${region}.amazonaws.com` } },
    });
    return read.combine(decrypt);
  }

  private made({ encryptionKey, ...props }: Omit<AuthProps, "source">): ISecret {
    const secret = new Secret(this, "Secret", {
      ...props,
      description: "Signs the tokens that Tagwire trusts (HS256).",
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      ...(encryptionKey ? { encryptionKey } : {}),
    });
    const reason = "A new secret ends every token that is out, so it is changed when its owner says so.";
    accept(secret, "AwsSolutions-SMG4", reason);
    // CDK is not written for exactOptionalPropertyTypes.
    return secret as ISecret;
  }

  private written(source: Issuer | { readonly secretId: string; readonly claim?: string }): string {
    return Stack.of(this).toJsonString(source);
  }
}

const named = (claim: string | undefined) => (claim === undefined ? {} : { claim });

function byArn(scope: Construct, { secretFullArn, secretArn }: ISecret): ISecret {
  const arn = secretFullArn ? { secretCompleteArn: secretFullArn } : { secretPartialArn: secretArn };
  return Secret.fromSecretAttributes(scope, "Readable", arn);
}
