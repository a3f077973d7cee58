import { type ConversionConfig, type JsonSchema, toJsonSchemaDefs } from "@valibot/to-json-schema";
import type * as v from "valibot";

export type { JsonSchema };

/** Schemas by the names that they have in a document. */
export type Named = Readonly<Record<string, v.GenericSchema>>;

/**
 * Actions that no keyword of JSON Schema stands for. The metadata beside a check says as much of it as JSON Schema can;
 * a test compares what the two accept.
 */
const WITHOUT_KEYWORD = new Set(["brand", "readonly", "finite", "check", "raw_check", "partial_check"]);

/** Returns the JSON Schemas of `schemas`, which refer to each other as components of a document. */
export function jsonSchemas(
  schemas: Named,
  target: "draft-2020-12" | "draft-07",
): Readonly<Record<string, JsonSchema>> {
  const made = toJsonSchemaDefs({ ...schemas }, { target, ...CONFIG });
  return Object.fromEntries(Object.keys(schemas).map((name) => [name, made[name] ?? {}]));
}

const CONFIG: ConversionConfig = {
  // It counts a second schema in a pipe as an error, although it refines the first. All others are thrown below.
  errorMode: "ignore",
  overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
  overrideSchema({ valibotSchema, jsonSchema, definitions, errors }) {
    // The schema of a `lazy` is written where it is used, if it has no name.
    if (valibotSchema.type === "lazy") {
      const id = jsonSchema.$ref?.split("/").at(-1) ?? "";
      return /^\d+$/.test(id) ? definitions[id] : jsonSchema;
    }
    // What passes a `custom` schema is said by the metadata beside it.
    if (valibotSchema.type === "custom") return {};
    return errors ? refuse(errors) : undefined;
  },
  overrideAction({ valibotAction, jsonSchema, errors }) {
    if (!errors || WITHOUT_KEYWORD.has(valibotAction.type)) return jsonSchema;
    // JSON Schema reads patterns as with the flag `u` (2020-12 Core §6.4), and knows no other.
    const { requirement } = valibotAction as { requirement?: unknown };
    if (requirement instanceof RegExp && requirement.flags === "u")
      return { ...jsonSchema, pattern: requirement.source };
    return refuse(errors);
  },
};

function refuse(errors: readonly string[]): never {
  throw new Error(errors.join(" "));
}
