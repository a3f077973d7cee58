import { createRemoteJWKSet } from "jose/jwks/remote";

/** The keys at an address, looked up and kept by jose. Loaded only where an issuer is trusted. */
export const remoteKeys = (address: string) => createRemoteJWKSet(new URL(address));
