export const LEVELS = ["error", "warn", "info"] as const;
export type Level = (typeof LEVELS)[number];

/** What a record may say beside its message: never a payload or a token. */
export type Fields = Readonly<Record<string, unknown>>;

/** Takes what happened, for somebody who looks. */
export type Note = (message: string, fields: Fields) => void;

export interface Log {
  write(level: Level, message: string, fields?: Fields): void;
  /** Takes a line of JSON that a function printed. */
  read(line: string): void;
  /** Writes what waits. */
  flush(): void;
  /** Takes what happens to each message and connection. Absent if `info` is not written: then it costs nothing. */
  readonly note?: Note;
}

export interface LogOptions {
  readonly level: Level;
  /** For eyes rather than for a program. */
  readonly isTerminal: boolean;
  readonly now: () => number;
  readonly output: (text: string) => unknown;
}

/** A log of one line a record: JSON, or for a terminal a line to read. Lines of a turn of the event loop are written together. */
export function log({ level, isTerminal, now, output }: LogOptions): Log {
  const most = LEVELS.indexOf(level);
  let waiting = "";
  const flush = () => {
    const text = waiting;
    waiting = "";
    if (text !== "") output(text);
  };
  const put = (of: string, message: string, fields: Fields) => {
    if (waiting === "") setImmediate(flush);
    const time = new Date(now()).toISOString();
    waiting += isTerminal
      ? `${time.slice(11, 19)} ${of.padEnd(5)} ${message}${Object.entries(fields).map(readable).join("")}\n`
      : `${JSON.stringify({ time, level: of, message, ...fields })}\n`;
  };
  const write: Log["write"] = (of, message, fields = {}) => {
    if (LEVELS.indexOf(of) <= most) put(of.toUpperCase(), message, fields);
  };
  return {
    write,
    flush,
    read(line) {
      const { level: said = "INFO", message = line, ...fields } = recordIn(line);
      const of = LEVELS.find((each) => each === String(said).toLowerCase()) ?? "info";
      write(of, String(message), fields);
    },
    ...(level === "info" ? { note: (message, fields) => put("INFO", message, fields) } : {}),
  };
}

const readable = ([name, value]: [string, unknown]): string =>
  value === undefined
    ? ""
    : ` ${name}=${typeof value === "string" && /^[^\s"]+$/.test(value) ? value : JSON.stringify(value)}`;

function recordIn(line: string): Fields {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Fields) : {};
  } catch {
    return {};
  }
}
