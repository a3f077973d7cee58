import type { Message } from "../../../client/index.ts";
import { clock, make } from "./element.ts";
import { list } from "./list.ts";

/** The messages that came. */
export function received(): { add(message: Message): void } {
  const rows = list("received");
  return {
    add({ id, topic, to, event, seq, time, data }) {
      const head = make("div", "row", make("span", "badge good", topic ?? `to ${to}`));
      if (event) head.append(make("strong", "", event));
      if (seq !== undefined) head.append(make("span", "faint", `number ${seq}`));
      head.append(clock(time));
      const body = make("pre", "", data === undefined ? "too large for a reply" : textOf(data));
      const row = make("li", "", head, body, make("div", "faint mono", id));
      row.dataset["id"] = id;
      rows.add(row);
    },
  };
}

/** JSON in one line if it is short. */
function textOf(data: unknown): string {
  const line = JSON.stringify(data);
  return line.length > 72 ? JSON.stringify(data, null, 2) : line;
}
