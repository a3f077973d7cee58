import { openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { openStore } from "../../../local/engine/store/store.ts";

/**
 * Writes messages to a store until it is killed, and says in the file `kept` which were resolved. Message n is an entry
 * and a receipt; ten messages later the entry is removed and the receipt ends, and nobody waits for that.
 */
const [folder = "", acknowledgements = ""] = process.argv.slice(2);
const kept = openSync(acknowledgements, "a");
const store = await openStore({ folder: join(folder) });
const last = store.range("receipts", { from: "", to: "z", limit: 1, isReversed: true })[0]?.key ?? "-1";
for (let number = Number(last) + 1; ; number++) {
  const key = String(number).padStart(9, "0");
  const value = JSON.stringify({ number, filling: "x".repeat((number * 7_919) % 3_000) });
  store
    .write([
      { table: "entries", key: number, value },
      { table: "receipts", key, value: "accepted", expiresAt: 2_000_000_000_000 },
    ])
    .then(() => writeSync(kept, `${number}\n`));
  const ended = number - 10;
  if (ended >= 0)
    store.writeLater([
      { table: "entries", key: ended },
      { table: "receipts", key: String(ended).padStart(9, "0"), value: "ended" },
    ]);
  if (number % 3 === 0) await store.flushed();
  else if (number % 2 === 0) await turn();
}
