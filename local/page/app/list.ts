import { byId } from "./element.ts";

/** Rows that are kept on the page. */
const MOST = 100;

/** A list with the newest row on top, and a count of all that there were. */
export function list(id: string): { add(row: HTMLLIElement): void } {
  const rows = byId(id, HTMLOListElement);
  const count = document.getElementById(`${id}-count`);
  let total = 0;
  return {
    add(row) {
      rows.prepend(row);
      total += 1;
      if (count) count.textContent = String(total);
      if (rows.childElementCount > MOST) rows.lastElementChild?.remove();
    },
  };
}
