import type { Issuer } from "../shared/adapters/jwt/issuer-tokens.ts";
import type { Clock, Random } from "../shared/ports.ts";
import type { Settings, SettingsOverrides } from "../shared/settings/schema.ts";
import type { Certificate } from "./certificate.ts";
import type { Limits } from "./limits.ts";
import type { Note } from "./log.ts";
import type { Spy } from "./testing/spy.ts";
import type { Unkind } from "./unkind.ts";

export interface StartOptions {
  /** @default 0, any free port */
  readonly port?: number;
  /** The address to listen on. @default 127.0.0.1, which other machines cannot reach */
  readonly host?: string;
  readonly settings?: SettingsOverrides;
  /** Signs and checks tokens; at least 32 bytes. @default DEV_SECRET */
  readonly secret?: string;
  /** The claim of a token that holds its grant. @default tagwire */
  readonly claim?: string;
  /** Takes what the functions print. @default nothing is printed */
  readonly write?: (line: string) => void;
  /** Takes what becomes of each message and connection. @default nobody */
  readonly note?: Note;
  readonly limits?: Partial<Limits>;
  /** What AWS does to sockets at times. @default nothing of it */
  readonly unkind?: Partial<Unkind>;
  /** Origins whose pages may use the router beside those of a loopback name, such as https://app.example. @default none */
  readonly origins?: readonly string[];
  /**
   * Addresses and ranges, such as 10.0.0.0/8, of the proxies whose `X-Forwarded-For`, `X-Forwarded-Proto` and
   * `X-Forwarded-Host` count. @default none: such headers are ignored
   */
  readonly trustedProxies?: readonly string[];
  /** Serves HTTPS and WSS with this certificate, and nothing else. @default HTTP and WS */
  readonly tls?: Certificate;
  /** Whose tokens are trusted, instead of those signed with `secret`. @default none */
  readonly issuer?: Issuer;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Whether the spy remembers what has happened; otherwise it only knows what there is now. @default true */
  readonly remembers?: boolean;
}

export interface Router {
  /** As in http://127.0.0.1:3000, without a slash at the end. */
  readonly url: string;
  readonly socketUrl: string;
  readonly settings: Settings;
  readonly spy: Spy;
  /** Uses another certificate for connections from now on. Throws if it is not good, or `tls` was not given. */
  setCertificate(tls: Certificate): void;
  /**
   * Takes no more requests, lets the lanes empty for at most `grace` milliseconds, closes all sockets with 1001
   * and releases everything. Answers how many messages were left in the lanes.
   */
  stop(grace?: number): Promise<{ readonly left: number }>;
}

export interface MachineOptions {
  /** The folder where messages, receipts and streams are kept. @default in memory: they end with the process */
  readonly data?: string;
  /**
   * The most seconds that messages wait after a restart for the clients of the process before: nobody is connected at
   * first.
   * @default 10
   */
  readonly reconnectSeconds?: number;
  /** The most bytes of the data's main file: messages that need more are refused. @default as many as the disk has */
  readonly maxDataBytes?: number;
  /**
   * Called if it can never keep or read anything again, though its disk may be good: its process is best ended and started anew.
   * @default nothing: requests are answered with 503
   */
  readonly onLost?: (fault: unknown) => void;
}
