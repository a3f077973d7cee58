import type * as v from "valibot";
import { expect, test } from "vitest";
import type { Client, Message, PublishRequest } from "../../client/index.ts";
import type { TagwireProviderProps } from "../../client/react/index.ts";
import type { PublishRequest as Protocol } from "../../shared/protocol/message.ts";
import type { MessageFrame } from "../../shared/protocol/message-frame.ts";
import { world } from "./support/world.ts";

interface Types {
  readonly orders: { readonly total: number };
  readonly [chat: `chat/${string}`]: { readonly text: string };
}

// What tsc holds is the test; it runs so that nobody takes it for one that does not.
test("messages have the type of their topic", () => {
  const client = world().connect<Types>();
  client.subscribe("orders", ({ data }) => data.total.toFixed(2));
  client.subscribe("chat/12", ({ data }) => data.text.trim(), { last: 1 });
  // @ts-expect-error: there is no such topic
  client.subscribe("other", () => {});
  // @ts-expect-error: an order has no text
  client.subscribe("orders", ({ data }) => data.text);
  client.receive<{ hint: string }>("user", ({ data }) => data.hint.trim());
  const any = world().connect();
  any.subscribe("whatever", ({ data }) => String(data));
  expect([client.state, any.state]).toEqual(["connecting", "connecting"]);
});

test("the types of the client are those of the protocol", () => {
  // A frame without its data is a gap, and no handler gets it.
  const message = (frame: MessageFrame & { readonly data: unknown }): Message => frame;
  const sent = (request: PublishRequest): v.InferInput<typeof Protocol> => request;
  // All that a handler can read of a frame has a type.
  const fields = (frame: Exclude<keyof MessageFrame, "type" | "omitted">): keyof Message => frame;
  expect([typeof message, typeof sent, typeof fields]).toEqual(["function", "function", "function"]);
});

test("a client of whatever topics can be given to a provider, and to what takes any client", () => {
  interface Declared {
    orders: { total: number };
  }
  const client = world().connect<Declared>();
  const props: TagwireProviderProps = { client };
  const any: Client<object> = client;
  expect(props.client).toBe(any);
});
