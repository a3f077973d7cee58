/** How a message can end. Each accepted message ends in exactly one of these. */
export const ENDINGS = ["dead", "cancelled", "expired", "partial", "delivered", "no-recipients"] as const;
export type Ending = (typeof ENDINGS)[number];
export type State = Ending | "delivering" | "retrying";
