import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { asyncApi } from "../../shared/api/asyncapi.ts";
import { openApi } from "../../shared/api/openapi.ts";

const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);
ajv.addSchema(openApi(), "openapi");
ajv.addSchema(asyncApi(), "asyncapi");

/** Where a schema stands: a document, and the steps from its root. */
export type Place = readonly ["openapi" | "asyncapi", ...string[]];

export const component = (document: Place[0], name: string): Place => [
  document,
  "components",
  "schemas",
  name,
];

/** The faults that the schema at a place finds in a value. Throws if there is none. */
export function faults([document, ...steps]: Place, value: unknown): readonly unknown[] {
  const path = steps.map((step) => encodeURIComponent(step.replaceAll("~", "~0").replaceAll("/", "~1")));
  const validate = ajv.getSchema(`${document}#/${path.join("/")}`);
  if (!validate) throw new Error(`${document} has no schema at ${steps.join(" ")}`);
  return validate(value) ? [] : (validate.errors ?? []);
}

/** The schema of a frame, by its type. */
export const frame = (type: string): Place =>
  component("asyncapi", `${type.charAt(0).toUpperCase()}${type.slice(1)}Frame`);

/** The types of the frames that both sides send. */
const ON_BOTH_SIDES = ["history"];

/** The schema of a frame that the router sends, by its type. */
export const sentFrame = (type: string): Place => frame(ON_BOTH_SIDES.includes(type) ? `${type}Reply` : type);
