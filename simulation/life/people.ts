import type { Identity } from "../../shared/protocol/grant.ts";
import type { Tag, Topic, UserId } from "../../shared/protocol/tag.ts";
import type { Simulation } from "../world/world.ts";

/** Who there is and what they are labelled with. Few, so that they meet. */
export const PRODUCERS = ["shop", "depot"] as UserId[];
export const USERS = ["ada", "bob", "eve"] as UserId[];
export const LABELS = ["region:gd", "region:hk", "tier:gold"] as Tag[];
export const topicsOf = (count: number): Topic[] => Array.from({ length: count }, (_, i) => `t${i}` as Topic);

/** When every token of a simulated life expires: long after its end. In seconds since 1970 (2100-01-01). */
export const TOKEN_EXPIRY = 4_102_444_800;

export function identityOf({ dice }: Simulation): Identity {
  const tags = LABELS.filter(() => dice.chance(0.4));
  return { sub: dice.pick(USERS), tags, subscribe: ["*"], publish: [], admin: false, exp: TOKEN_EXPIRY };
}
