import { openStore } from "../../../local/engine/store/store.ts";

/** Opens a store and prints the code of what went wrong. */
const [folder = ""] = process.argv.slice(2);
await openStore({ folder }).then(
  () => console.log("opened"),
  (fault: { code: string; message: string }) => console.log(`${fault.code} ${fault.message}`),
);
process.exit();
