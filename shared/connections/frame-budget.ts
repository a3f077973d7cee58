import type { BucketLimits } from "./token-bucket.ts";

/**
 * Topics that one connection may add or drop: 1,000 at once and two a second after that. Kept on the connection's row.
 * A client that subscribes to 200 topics when it connects and changes one a second for hours stays within it; one that
 * tries to cost money cannot make more than two changes a second, a few dollars a day at most.
 */
export const CHANGES: BucketLimits = { burst: 1_000, perSecond: 2 };

/**
 * Streams that one container reads for one connection: a page with 200 topics reconnects, and a client that was away for
 * hours catches up by 36 MB, without a pause. Kept in its memory.
 */
export const READS: BucketLimits = { burst: 300, perSecond: 5 };

/** Frames that one container answers of one connection, those that change nothing included. Kept in its memory. */
export const FRAMES: BucketLimits = { burst: 500, perSecond: 20 };
