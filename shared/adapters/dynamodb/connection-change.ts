import type { UpdateItemCommandInput } from "@aws-sdk/client-dynamodb";
import type { ConnectionRow, TagChange, TokenRefresh } from "../../connections/connection.ts";
import { budgetAfter } from "../../connections/token-bucket.ts";
import { markOf, patternsOf, type Row, ttlOf } from "./connection-row.ts";

export type Update = Pick<
  UpdateItemCommandInput,
  "UpdateExpression" | "ConditionExpression" | "ExpressionAttributeNames" | "ExpressionAttributeValues"
>;

/** One conditional write for a change of tags: the tags, the mark, the revision, the budget. */
export function updateOf(row: ConnectionRow, change: TagChange): Update {
  const { connectedAt, budgetUntil } = row;
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
    // The topics were checked against these patterns. A refreshed token may have others.
    conditions.push("subscribe = :subscribe");
    values[":subscribe"] = patternsOf(row);
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

/** One conditional write for another token: its tags, grants and ends, the mark, the revision, the budget. */
export function refreshOf(row: ConnectionRow, refresh: TokenRefresh): Update {
  const { mark, takesOver, spending } = refresh;
  const taken = takesOver.map((open, i) => [`#taken${i}`, markOf(open)] as const);
  const set = ["#mark = :marked", "tags = :tags", "subscribe = :subscribe", "budgetUntil = :until"];
  const ends = ["expiresAt = :end", "tokenExpiresAt = :tokenEnd", "#ttl = :ttl"];
  const remove = taken.length > 0 ? [`REMOVE ${taken.map(([name]) => name).join(", ")}`] : [];
  // Each change of a row adds to its revision: a row without one has had none.
  const unchanged = row.revision === 0 ? "attribute_not_exists(revision)" : "revision = :revision";
  return {
    UpdateExpression: [`SET ${[...set, ...ends].join(", ")}`, "ADD revision :one", ...remove].join(" "),
    ConditionExpression: `connectedAt = :at AND ${unchanged}`,
    ExpressionAttributeNames: { "#mark": markOf(mark), "#ttl": "ttl", ...Object.fromEntries(taken) },
    ExpressionAttributeValues: {
      ":marked": { SS: [...new Set(mark.tags)] },
      ":tags": { SS: [...new Set(refresh.tags)] },
      ":subscribe": patternsOf(refresh),
      ":until": { N: String(budgetAfter(row.budgetUntil, spending)) },
      ":end": { N: String(refresh.expiresAt) },
      ":tokenEnd": { N: String(refresh.tokenExpiresAt) },
      ":ttl": ttlOf(refresh),
      ":one": { N: "1" },
      ":at": { N: String(row.connectedAt) },
      ...(row.revision === 0 ? {} : { ":revision": { N: String(row.revision) } }),
    },
  };
}
