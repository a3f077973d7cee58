import * as v from "valibot";
import { Disconnected } from "../protocol/disconnected.ts";
import { CLIENT_FRAMES } from "../protocol/frame.ts";
import { GRANT_CLAIM, Grant, Registered } from "../protocol/grant.ts";
import { QueuedItem, RefusedItem } from "../protocol/item.ts";
import { MessageId, PublishRequest } from "../protocol/message.ts";
import { FieldError, Problem } from "../protocol/problem.ts";
import { Receipt } from "../protocol/receipt.ts";
import { History, MessageFrame, RefusedTopic, SERVER_FRAMES } from "../protocol/server-frame.ts";
import { ConnectionId, Tag, Topic, UserId } from "../protocol/tag.ts";
import { Target } from "../protocol/target.ts";
import { type JsonSchema, jsonSchemas, type Named } from "./json-schema.ts";
import { type Described, FIELD_TEXT } from "./text.ts";

const NAMES = { ConnectionId, MessageId, Topic, UserId };
const REFUSALS = { FieldError, Problem };

/** A refusal that API Gateway makes by itself. */
const GatewayError = v.object({ message: v.string() });

/** The claims of a token. A deployment can give the claim with the grant another name. */
const Claims = v.object({ ...Registered.entries, [GRANT_CLAIM]: v.optional(v.union([Grant, v.string()])) });

const REPLIES = {
  QueuedItem,
  RefusedItem,
  Receipt,
  MessageFrame,
  History,
  Disconnected,
  ...REFUSALS,
  GatewayError,
};

/** The schemas of the HTTP API. */
export const httpSchemas = (): Readonly<Record<string, JsonSchema>> =>
  described(
    jsonSchemas({ ...NAMES, Tag, Target, PublishRequest, ...REPLIES, Grant, Claims }, "draft-2020-12"),
  );

/** The schemas of the frames, in the dialect that AsyncAPI 3.0 has: draft 7. */
export const frameSchemas = (): Readonly<Record<string, JsonSchema>> =>
  described(jsonSchemas({ ...NAMES, Tag, FieldError, RefusedTopic, ...FRAMES }, "draft-07"));

/** `subscribe` is `SubscribeFrame`. */
export const frameName = (type: string): string => `${type.charAt(0).toUpperCase()}${type.slice(1)}Frame`;

/** The name of a frame that the router sends: `token` is `TokenReplyFrame`, since a client sends one of that type. */
export const replyName = (type: string): string =>
  frameName(Object.hasOwn(CLIENT_FRAMES, type) ? `${type}Reply` : type);

/** The frames by the names of their schemas. */
const FRAMES: Named = {
  ...framesOf(CLIENT_FRAMES, frameName),
  ...framesOf(SERVER_FRAMES, replyName),
};

function framesOf(frames: Named, nameOf: (type: string) => string): Named {
  return Object.fromEntries(Object.entries(frames).map(([type, schema]) => [nameOf(type), schema]));
}

const described = (schemas: Readonly<Record<string, JsonSchema>>): Readonly<Record<string, JsonSchema>> =>
  Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [
      name,
      Object.hasOwn(FIELD_TEXT, name) ? withText(schema, FIELD_TEXT[name as Described]) : schema,
    ]),
  );

/** Says of each property of a schema, or of its parts, what it is. Draft 7 ignores what stands beside a `$ref`. */
function withText(schema: JsonSchema, text: Readonly<Record<string, string>>): JsonSchema {
  const inside = (parts: JsonSchema["anyOf"]) =>
    parts?.map((part) => (isObject(part) ? withText(part, text) : part));
  const { properties, allOf, anyOf } = schema;
  return {
    ...schema,
    ...(properties ? { properties: propertiesWithText(properties, text) } : {}),
    ...(allOf ? { allOf: inside(allOf) } : {}),
    ...(anyOf ? { anyOf: inside(anyOf) } : {}),
  } as JsonSchema;
}

function propertiesWithText(
  properties: NonNullable<JsonSchema["properties"]>,
  text: Readonly<Record<string, string>>,
) {
  return Object.fromEntries(
    Object.entries(properties).map(([name, property]) => {
      const description = text[name];
      if (description === undefined || !isObject(property)) return [name, property];
      return [name, property.$ref ? { allOf: [property], description } : { ...property, description }];
    }),
  );
}

const isObject = (schema: unknown): schema is JsonSchema => typeof schema === "object" && schema !== null;
