/** An element of the page's HTML. Throws if there is none of that kind, so that a renamed id is met at once. */
export function byId<E extends HTMLElement>(id: string, kind: new () => E): E {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${kind.name} "${id}"`);
}

export const input = (id: string): HTMLInputElement => byId(id, HTMLInputElement);
export const button = (id: string): HTMLButtonElement => byId(id, HTMLButtonElement);
export const form = (id: string): HTMLFormElement => byId(id, HTMLFormElement);

/** A new element. Text is text: nothing that comes from a message is read as HTML. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** What a form could not do, beside it; nothing to hide it. */
export function tell(id: string, problem = ""): void {
  const place = byId(id, HTMLElement);
  place.textContent = problem;
  place.hidden = problem === "";
}

/** The time of day of an ISO 8601 time, or of now. */
export const clock = (time?: string): HTMLTimeElement => {
  const date = time ? new Date(time) : new Date();
  const made = make("time", "", date.toLocaleTimeString(undefined, { hour12: false }));
  made.dateTime = date.toISOString();
  return made;
};
