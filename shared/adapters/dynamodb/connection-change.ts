import type { UpdateItemCommandInput } from "@aws-sdk/client-dynamodb";
import type { ConnectionRow, TagChange } from "../../connections/connection.ts";
import { markOf, type Row } from "./connection-row.ts";

type Update = Pick<
  UpdateItemCommandInput,
  "UpdateExpression" | "ConditionExpression" | "ExpressionAttributeNames" | "ExpressionAttributeValues"
>;

/** One conditional write for a change of tags: the tags, the mark, the revision, the budget. */
export function updateOf({ connectedAt, budgetUntil }: ConnectionRow, change: TagChange): Update {
  const { verb, tags, mark, takesOver, tagLimit, spending } = change;
  const set = ["#mark = :marked"];
  const add = ["revision :one"];
  const conditions = ["connectedAt = :at"];
  const values: Row = {
    ":marked": { SS: [...new Set(mark.tags)] },
    ":one": { N: "1" },
    ":at": { N: String(connectedAt) },
  };
  if (tags.length > 0) values[":tags"] = { SS: [...new Set(tags)] };
  if (tags.length > 0 && verb === "add") {
    add.push("tags :tags");
    conditions.push("size(tags) <= :room");
    values[":room"] = { N: String(tagLimit - new Set(tags).size) };
  }
  if (spending.kind === "restart") {
    set.push("budgetUntil = :until");
    values[":until"] = { N: String(spending.until) };
    if (budgetUntil === undefined) conditions.push("attribute_not_exists(budgetUntil)");
    else {
      conditions.push("budgetUntil = :seen");
      values[":seen"] = { N: String(budgetUntil) };
    }
  } else {
    add.push("budgetUntil :by");
    conditions.push("budgetUntil <= :most");
    values[":by"] = { N: String(spending.by) };
    values[":most"] = { N: String(spending.most) };
  }
  const taken = takesOver.map((open, i) => [`#taken${i}`, markOf(open)] as const);
  return {
    UpdateExpression: [
      `SET ${set.join(", ")}`,
      `ADD ${add.join(", ")}`,
      ...(tags.length > 0 && verb === "remove" ? ["DELETE tags :tags"] : []),
      ...(taken.length > 0 ? [`REMOVE ${taken.map(([name]) => name).join(", ")}`] : []),
    ].join(" "),
    ConditionExpression: conditions.join(" AND "),
    ExpressionAttributeNames: { "#mark": markOf(mark), ...Object.fromEntries(taken) },
    ExpressionAttributeValues: values,
  };
}
