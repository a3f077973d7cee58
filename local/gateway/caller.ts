import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";

/** Who sent a request, and to what address. */
export interface Caller {
  /** The IP address. */
  readonly address: string;
  /** The host name and port that the request was sent to. */
  readonly host: string | undefined;
  /** Whether it came by TLS. */
  readonly isSecure: boolean;
}

type Request = Pick<IncomingMessage, "headers" | "socket">;

export type CallerOf = (request: Request) => Caller;

/**
 * Returns what tells the caller of a request. What `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host` say
 * counts only if the peer is a trusted proxy, and of several values that of the proxy next to the router: anybody can
 * send such headers. Throws if a proxy is neither an address nor a range.
 */
export function callers(trustedProxies: readonly string[] = []): CallerOf {
  const trusted = trustedProxies.length > 0 ? listOf(trustedProxies) : undefined;
  const isTrusted = (address: string) => trusted?.check(address, familyOf(address)) === true;
  return ({ headers, socket }) => {
    const address = plain(socket.remoteAddress ?? "");
    const direct = { address, host: headers.host, isSecure: "encrypted" in socket };
    if (trusted === undefined || isIP(address) === 0 || !isTrusted(address)) return direct;
    const scheme = lastOf(headers["x-forwarded-proto"]);
    return {
      address: clientOf(headers["x-forwarded-for"], address, isTrusted),
      host: lastOf(headers["x-forwarded-host"]) ?? direct.host,
      isSecure: scheme === undefined ? direct.isSecure : scheme.toLowerCase() === "https",
    };
  };
}

/** The last address that no trusted proxy has, or the first of all. What is no address ends the search. */
function clientOf(
  header: string | string[] | undefined,
  peer: string,
  isTrusted: (address: string) => boolean,
): string {
  let client = peer;
  for (const entry of valuesOf(header).reverse()) {
    const address = plain(entry);
    if (isIP(address) === 0) break;
    client = address;
    if (!isTrusted(address)) break;
  }
  return client;
}

const valuesOf = (header: string | string[] | undefined): string[] =>
  [header ?? []]
    .flat()
    .join(",")
    .split(",")
    .map((value) => value.trim())
    .filter((value) => value !== "");

const lastOf = (header: string | string[] | undefined): string | undefined => valuesOf(header).at(-1);

/** An IPv4 address as a socket of both families has it, without its `::ffff:`. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, "");

const familyOf = (address: string): "ipv4" | "ipv6" => (isIP(address) === 6 ? "ipv6" : "ipv4");

function listOf(proxies: readonly string[]): BlockList {
  const list = new BlockList();
  for (const proxy of proxies) {
    const [address = "", bits, more] = proxy.split("/");
    const most = { 4: 32, 6: 128 }[isIP(address)];
    const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
    if (most === undefined || prefix === undefined || !(prefix <= most) || more !== undefined)
      throw new RangeError(
        `a trusted proxy must be an address or a range such as 10.0.0.0/8, got "${proxy}"`,
      );
    list.addSubnet(address, prefix, familyOf(address));
  }
  return list;
}
