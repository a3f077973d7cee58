import type { PublishRequest } from "../../../client/index.ts";
import { clock, make } from "./element.ts";
import { list } from "./list.ts";
import { cancel, follow, type Standing } from "./receipt.ts";

/** The messages that were published from here, each with its receipt. */
export function published(token: () => Promise<string>): { add(id: string, request: PublishRequest): void } {
  const rows = list("published");
  return {
    add(id, request) {
      // Only who published a message may read its receipt, and the page may connect as somebody else meanwhile.
      const own = token();
      const producer = () => own;
      const badge = make("span", "badge busy", "queued");
      const counts = make("span", "faint");
      const stop = make("button", "quiet", "Cancel");
      stop.type = "button";
      stop.hidden = !request.delaySeconds;
      stop.onclick = () => void cancel(id, producer);
      const head = make("div", "row", badge, make("span", "", toText(request.target)), counts, clock(), stop);
      const row = make("li", "", head, make("div", "faint mono", id));
      row.dataset["id"] = id;
      rows.add(row);
      void follow(id, producer, (standing) => {
        badge.textContent = standing.state;
        badge.className = `badge ${colourOf(standing)}`;
        counts.textContent = standing.counts;
        if (standing.hasEnded) stop.hidden = true;
      });
    },
  };
}

function colourOf({ state, hasEnded }: Standing): string {
  if (!hasEnded) return "busy";
  if (state === "delivered") return "good";
  return state === "dead" || state === "partial" ? "bad" : "plain";
}

const toText = (target: PublishRequest["target"]): string =>
  "everyone" in target
    ? "to everyone"
    : Object.entries(target)
        .map(([kind, value]) => `to ${kind} ${typeof value === "string" ? value : JSON.stringify(value)}`)
        .join();
