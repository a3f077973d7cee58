import { type PostToSign, postSigner, type SignedHeaders } from "./sign-post.ts";
import { type Identity, sameIdentity } from "./signature.ts";

/** As a client of the SDK resolves them: kept, and renewed before they expire. */
export type Credentials = (options?: { forceRefresh?: boolean }) => Promise<Identity>;

export interface SessionOptions {
  readonly host: () => Promise<string>;
  readonly region: () => Promise<string>;
  readonly service: string;
  readonly type: string;
  readonly credentials: Credentials;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface Signed {
  readonly headers: SignedHeaders;
  readonly identity: Identity;
}

/** Signs with the credentials of the moment, which are asked for once a second, not once a request. */
export interface Session {
  /** `skew`: milliseconds that the clock of the service is ahead of ours. */
  sign(post: Pick<PostToSign, "path" | "body" | "target">, skew: number): Promise<Signed>;
  /** Whether there are other credentials than these by now, or after asking for new ones. */
  renewed(from: Identity): Promise<boolean>;
}

/** Milliseconds. Credentials are renewed minutes before they expire, so a second more does no harm. */
const MOMENT = 1_000;

export function session({ host, region, service, type, credentials, now }: SessionOptions): Session {
  let signer: ReturnType<typeof postSigner> | undefined;
  let moment: { readonly identity: Identity; readonly until: number } | undefined;

  const renew = async (forceRefresh = false): Promise<Identity> => {
    const identity = await credentials({ forceRefresh });
    moment = { identity, until: now() + MOMENT };
    return identity;
  };

  return {
    async sign(post, skew) {
      signer ??= postSigner({ host: await host(), region: await region(), service, type });
      const identity = moment && now() < moment.until ? moment.identity : await renew();
      return { headers: signer({ ...post, identity, now: now() + skew }), identity };
    },
    async renewed(from) {
      return !sameIdentity(await renew(), from) || !sameIdentity(await renew(true), from);
    },
  };
}
