import type { Claim, Outcome } from "../../shared/ports.ts";
import type { Job } from "../../shared/receipts/job.ts";
import { contentOf } from "../oracle/content.ts";
import type { Dice } from "./dice.ts";
import type { Network } from "./network.ts";
import type { Actor, Scheduler } from "./scheduler.ts";

/** Messages that kill every run that processes them, by a mark in their data. */
export interface Poison {
  onClaim(actor: Actor, job: Job, claim: Claim): void;
  onSettle(actor: Actor, job: Job, outcome: Outcome): void;
  /** A run does something that processing needs. It dies of it if it has taken poison. */
  strike(actor: Actor): void;
}

export interface PoisonWorld {
  readonly scheduler: Pick<Scheduler, "now">;
  readonly dice: Dice;
  readonly network: Pick<Network, "kill">;
  /** Deaths after which a message is not processed any more. */
  readonly deaths: number;
}

export function poison({ scheduler, dice, network, deaths }: PoisonWorld): Poison {
  const doomed = new WeakMap<Actor, number>();
  const isPoison = ({ message }: Job) => contentOf(message.data).poison === true;
  return {
    onClaim(actor, job, claim) {
      if (claim.kind !== "claimed" || !isPoison(job) || claim.deaths >= deaths) return;
      doomed.set(actor, scheduler.now() + dice.whole(0, 50));
    },
    onSettle(actor, job, outcome) {
      const processed =
        outcome.kind !== "ended" || !["dead", "expired", "cancelled"].includes(outcome.ending);
      if (processed && isPoison(job)) network.kill(actor);
    },
    strike(actor) {
      if ((doomed.get(actor) ?? Number.POSITIVE_INFINITY) <= scheduler.now()) network.kill(actor);
    },
  };
}
