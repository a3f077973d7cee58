/** The names of the metrics that the functions count. */
export type Metric =
  | "MessagesAccepted"
  | "MessagesRefused"
  | "Claims"
  | "Duplicates"
  | "Endings"
  | "Retries"
  | "DeadLetters"
  | "FramesSent"
  | "MeteredUnits"
  | "ConnectionsGone"
  | "SendsBusy"
  | "SendsRefused"
  /** Runs that died while they had the lease of a message. */
  | "Deaths"
  | "ConnectionsOpened"
  | "ConnectionsClosed"
  | "Subscribed"
  | "Unsubscribed"
  | "FramesRefused"
  | "Faults"
  /** Sends that the stack or its policies forbid: @connections returned 403 or 404. */
  | "SendsForbidden"
  /** Runs that began while the gateway was down. */
  | "GatewayDown"
  /** Times that a consumer lowered its rate: the account gives fewer requests than it believes. */
  | "QuotaExceeded";
