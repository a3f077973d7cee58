import { TagwireError } from "../../shared/protocol/errors.ts";
import type { PortsWorld } from "./ports.ts";
import type { Actor } from "./scheduler.ts";

/** A call to a table: it may fail before or after it did what it should, or do it twice. */
export const tableCall =
  ({ network, faults, outages, scheduler, dice }: PortsWorld, actor: Actor) =>
  <T>(what: string, effect: () => Promise<T>): Promise<T> =>
    network.request(actor, what, async () => {
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
    });
