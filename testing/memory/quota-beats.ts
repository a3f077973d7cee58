import { engineQuotaBeats } from "../../local/engine/quota-beats.ts";
import type { QuotaBeats } from "../../shared/ports.ts";

/** The beats of one machine. */
export const memoryQuotaBeats = (now?: () => number): QuotaBeats => engineQuotaBeats(now);
