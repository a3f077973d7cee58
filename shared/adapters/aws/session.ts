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

/** Credentials, and what signs with them. */
export interface Pen {
  readonly identity: Identity;
  sign(post: Omit<PostToSign, "identity">): SignedHeaders;
}

/** Asks for the credentials of the moment once a second, not once a request. */
export interface Session {
  /** Answers without a promise where it was asked a moment ago: a promise costs a tenth of a post. */
  pen(): Pen | Promise<Pen>;
  /** Whether there are other credentials than these by now, or after asking for new ones. */
  renewed(from: Identity): Promise<boolean>;
}

/** Milliseconds. Credentials are renewed minutes before they expire, so a second more does no harm. */
const MOMENT = 1_000;

export function session({ host, region, service, type, credentials, now }: SessionOptions): Session {
  let signer: ReturnType<typeof postSigner> | undefined;
  let current: { readonly pen: Pen; readonly until: number } | undefined;

  const renew = async (forceRefresh = false): Promise<Pen> => {
    signer ??= postSigner({ host: await host(), region: await region(), service, type });
    const signWith = signer;
    const identity = await credentials({ forceRefresh });
    const pen: Pen = { identity, sign: (post) => signWith({ ...post, identity }) };
    current = { pen, until: now() + MOMENT };
    return pen;
  };

  return {
    pen: () => (current && now() < current.until ? current.pen : renew()),
    async renewed(from) {
      return (
        !sameIdentity((await renew()).identity, from) || !sameIdentity((await renew(true)).identity, from)
      );
    },
  };
}
