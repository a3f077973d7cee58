/** Which web pages and which host names may use the router. */
export interface Origins {
  /** Whether a request with this `Origin` header is served. One without the header does not come from a page. */
  allowsOrigin(origin: string | undefined): boolean;
  /** Whether a request with this `Host` header is served: a page can point a name of its own at this machine. */
  allowsHost(host: string | undefined): boolean;
}

/** Loopback origins of any port, and those that are listed, such as `https://app.example`. */
export function origins(listed: readonly string[]): Origins {
  const allowed = new Set(listed);
  const hosts = new Set([...LOOPBACK, ...listed.flatMap((origin) => hostname(origin) ?? [])]);
  /** To read a URL takes as long as to check a message, and most requests have the header of the last one. */
  let last: { readonly host: string; readonly isAllowed: boolean } = { host: "", isAllowed: false };
  return {
    allowsOrigin: (origin) =>
      origin === undefined ||
      allowed.has(origin) ||
      (/^https?:\/\//.test(origin) && LOOPBACK.has(hostname(origin) ?? "")),
    allowsHost(host) {
      if (host === undefined) return true;
      if (host !== last.host) last = { host, isAllowed: hosts.has(hostname(`http://${host}`) ?? "") };
      return last.isAllowed;
    },
  };
}

const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

const hostname = (url: string): string | undefined => (URL.canParse(url) ? new URL(url).hostname : undefined);
