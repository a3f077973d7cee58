/** What the command line of `npm start` and `tagwire start` may say instead of a variable. */
export interface Flags {
  readonly host?: string;
  readonly port?: string;
  readonly data?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

const VARIABLES: Readonly<Record<keyof Flags, string>> = {
  host: "HOST",
  port: "PORT",
  data: "TAGWIRE_DATA",
  tlsCert: "TAGWIRE_TLS_CERT",
  tlsKey: "TAGWIRE_TLS_KEY",
};

/** The environment as the command line changes it. */
export function withFlags(env: NodeJS.ProcessEnv, flags: Flags): NodeJS.ProcessEnv {
  const given = Object.entries(VARIABLES).flatMap(([flag, variable]) => {
    const value = flags[flag as keyof Flags];
    return value === undefined ? [] : [[variable, value] as const];
  });
  return { ...env, ...Object.fromEntries(given) };
}
