import fc from "fast-check";
import { expect, test } from "vitest";
import { NOBODY, presence } from "../../local/machine/presence.ts";
import type { Connection } from "../../shared/connections/connection.ts";

interface Client {
  readonly user: string;
  readonly tags: readonly string[];
}

const TAGS = fc.uniqueArray(fc.constantFrom("a", "b", "c"), { maxLength: 3 });
const CLIENT: fc.Arbitrary<Client> = fc.record({ user: fc.constantFrom("anna", "bob"), tags: TAGS });
const rowOf = (client: Client) => client as unknown as Connection;

/** What is said after all of them have connected, having held other tags before, and others have come and gone. */
function textOf(clients: readonly Client[], before: readonly Client[] = []): string {
  const { changed, text } = presence();
  const gone = before.map(rowOf);
  for (const row of gone) changed(undefined, row);
  for (const client of clients) {
    const first = rowOf({ ...client, tags: ["z"] });
    changed(undefined, first);
    changed(first, rowOf(client));
  }
  for (const row of gone.toReversed()) changed(row, undefined);
  return text();
}

/** How many there are, and who holds what by all its connections, in an order of its own. */
const heldBy = (clients: readonly Client[]): string =>
  [clients.length, ...clients.flatMap(({ user, tags }) => tags.map((tag) => user + tag)).toSorted()].join();

test("it says the same of the same users with the same tags, and only of them, whatever came before", () => {
  const some = fc.array(CLIENT, { maxLength: 5 });
  fc.assert(
    fc.property(some, some, some, (one, other, before) => {
      expect(textOf(one, before)).toBe(textOf(one.toReversed()));
      expect(textOf(one) === textOf(other)).toBe(heldBy(one) === heldBy(other));
    }),
  );
  expect(textOf([], [{ user: "anna", tags: ["a"] }])).toBe(NOBODY);
});
