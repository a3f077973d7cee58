import { TagwireError } from "../../shared/protocol/errors.ts";
import type { Dice } from "./dice.ts";
import type { Faults } from "./faults.ts";
import type { Network } from "./network.ts";
import type { Outages } from "./outage.ts";
import type { Actor, Scheduler } from "./scheduler.ts";

export interface TableWorld {
  readonly network: Network;
  readonly faults: Faults;
  readonly outages: Outages;
  readonly scheduler: Scheduler;
  readonly dice: Dice;
}

/** A call to a table: it may fail before or after it did what it should, or do it twice. Late: it comes to the table seconds later. */
export const tableCall =
  ({ network, faults, outages, scheduler, dice }: TableWorld, actor: Actor) =>
  <T>(what: string, effect: () => Promise<T>, isLate = false): Promise<T> => {
    const serve = async () => {
      const refused = outages.is("table-throttled") || (outages.is("table-half") && dice.chance(0.5));
      if (refused || faults.strikes("table-throttled"))
        throw new TagwireError("TABLE_UNAVAILABLE", `${what}: throttled`);
      if (faults.strikes("table-twice")) {
        await effect();
        await scheduler.sleep(dice.whole(1, 500));
      }
      const value = await effect();
      if (faults.strikes("table-unheard")) throw new TagwireError("TABLE_UNAVAILABLE", `${what}: no answer`);
      return value;
    };
    return network.request(actor, what, serve, isLate);
  };
