/** What the simulation's messages carry. */
export interface Content {
  /** Which POST a message is of. */
  readonly number: number;
  /** It kills every run that processes it. */
  readonly poison?: boolean;
  /** Text that an encoding may harm. */
  readonly text?: string;
}

export const contentOf = (data: unknown): Content => data as Content;
