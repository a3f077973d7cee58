import { LogFormatter, Logger, LogItem } from "@aws-lambda-powertools/logger";
import type { LogAttributes, UnformattedAttributes } from "@aws-lambda-powertools/logger/types";

export interface LogOptions {
  readonly service: string;
  readonly router: string;
  /** The records that are written: these and graver ones. A level that Lambda's own controls set goes before it. */
  readonly level: "info" | "warn" | "error";
  readonly write: (line: string) => void;
}

/** The fields that every record has, named as a router on one machine names them. */
class Format extends LogFormatter {
  formatAttributes(of: UnformattedAttributes, fields: LogAttributes): LogItem {
    const { logLevel: level, message, serviceName: service, xRayTraceId, timestamp } = of;
    return new LogItem({
      attributes: {
        ...{ time: timestamp.toISOString(), level, message, service, ...fields },
        ...(xRayTraceId === undefined ? {} : { xrayTraceId: xRayTraceId }),
      },
    });
  }
}

/** Hands each record to `write`: on one machine, and in tests, functions share a process and have no output of their own. */
class LineLogger extends Logger {
  readonly write: (line: string) => void;

  constructor({ service, router, level, write }: LogOptions) {
    super({
      serviceName: service,
      logLevel: level.toUpperCase() as Uppercase<LogOptions["level"]>,
      logFormatter: new Format(),
      persistentKeys: { router },
    });
    this.write = write;
  }

  protected override printLog(_level: number, item: LogItem): void {
    this.write(JSON.stringify(item.getAttributes(), this.getJsonReplacer()));
  }
}

/** A log of one JSON record a line, by Powertools. Made once for a function: to make one costs more than a record. */
export const lineLogger = (options: LogOptions): Logger => new LineLogger(options);
