import { connect } from "./driver.ts";
import { damage, thrown } from "./fault.ts";
import { checkHeader, filesOf } from "./folder.ts";
import { type LastGroup, openLastGroup } from "./last-group.ts";
import { Reader } from "./reader.ts";

/**
 * Looks at the files of a folder that is locked, at every row if `isWhole`, and opens the note of the last group. Throws a
 * TagwireError (STORE_FOREIGN, STORE_NEWER, STORE_DAMAGED) if they are not as they should be.
 */
export function inspected(folder: string, isWhole: boolean): LastGroup {
  checkHeader(folder);
  const lastGroup = openLastGroup(folder, filesOf(folder).lastGroup);
  try {
    inspect(folder, lastGroup.number, isWhole);
    return lastGroup;
  } catch (fault) {
    lastGroup.close();
    throw fault;
  }
}

/** SQLite takes a damaged part of its log for the log's end, so what it finds is compared with what had reached the disk. */
function inspect(folder: string, lastGroup: number, isWhole: boolean): void {
  const connection = connect(filesOf(folder).database, { readOnly: true });
  try {
    const reader = new Reader(connection, folder);
    const found = reader.committed();
    if (found < lastGroup)
      throw thrown(
        damage(folder, `it ends with group ${found}, while group ${lastGroup} had reached the disk`),
      );
    if (isWhole) reader.verify();
  } finally {
    connection.close();
  }
}
