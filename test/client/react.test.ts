// @vitest-environment jsdom
import { act, createElement, type ReactNode, StrictMode, useState } from "react";
import { createRoot, type Root } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  TagwireProvider,
  useConnectionState,
  useLatest,
  useSubscription,
  useTagwire,
} from "../../client/react/index.ts";
import { streamRouter } from "./support/streams.ts";
import { frame, type ServedSocket, world } from "./support/world.ts";

type Page = Parameters<typeof createRoot>[0] & { readonly textContent: string };
const { document } = globalThis as unknown as { document: { createElement(tag: string): Page } };

let root: Root;
let page: Page;
beforeEach(() => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  page = document.createElement("div");
  root = createRoot(page);
});
afterEach(() => act(async () => root.unmount()));

const render = (node: ReactNode) => act(async () => root.render(createElement(StrictMode, null, node)));
const passes = (it: ReturnType<typeof world>, milliseconds = 1) => act(() => it.advance(milliseconds));

/** A client that the test has made, given to components in StrictMode. */
function provided() {
  const it = world();
  const client = it.connect();
  const show = (node: ReactNode) => render(createElement(TagwireProvider, { client }, node));
  return { it, client, show, socket: () => it.sockets[0] as ServedSocket };
}

test("a component that StrictMode mounts twice has one subscription, and gets each message once", async () => {
  const { it, show, socket } = provided();
  const got: unknown[] = [];
  const Orders = () => {
    useSubscription("orders", ({ data }) => got.push(data));
    return null;
  };
  await show(createElement(Orders));
  await passes(it);
  socket().send(frame("orders", undefined, { data: "one" }));
  expect(got).toEqual(["one"]);
  expect(socket().got).toMatchObject([{ type: "subscribe", topics: ["orders"] }]);
  await show(null);
  await passes(it);
  expect(socket().got.slice(1)).toMatchObject([{ type: "unsubscribe", topics: ["orders"] }]);
});

test("a handler sees the state of the last render, without a new subscription", async () => {
  const { it, show, socket } = provided();
  const Count = () => {
    const [count, setCount] = useState(0);
    useSubscription<number>("orders", ({ data }) => setCount(count + data));
    return createElement("b", null, count);
  };
  await show(createElement(Count));
  await passes(it);
  for (const data of [2, 3])
    await act(async () => socket().send(frame("orders", undefined, { id: `${data}`, data })));
  expect(page.textContent).toBe("5");
  expect(socket().got).toHaveLength(1);
});

test("another topic is another subscription, in one step; none is none", async () => {
  const { it, show, socket } = provided();
  const One = ({ topic }: { topic: string | null }) => {
    useSubscription(topic, () => {});
    return null;
  };
  await show(createElement(One, { topic: "a" }));
  await passes(it);
  await show(createElement(One, { topic: "b" }));
  await passes(it);
  await show(createElement(One, { topic: null }));
  await passes(it);
  expect(socket().got.map(({ type, topics }) => [type, ...(topics as string[])])).toEqual([
    ["subscribe", "a"],
    ["subscribe", "b"],
    ["unsubscribe", "a"],
    ["unsubscribe", "b"],
  ]);
});

test("the latest value is the last that is kept, then each that comes, and never another topic's", async () => {
  const { it, show } = provided();
  const router = streamRouter(it);
  router.publish("a");
  router.publish("a");
  const Latest = ({ topic }: { topic: string }) =>
    createElement("b", null, String(useLatest(topic)?.data ?? "none"));
  await show(createElement(Latest, { topic: "a" }));
  expect(page.textContent).toBe("none");
  await passes(it, 100);
  expect(page.textContent).toBe("1001");
  router.publish("a");
  await passes(it, 100);
  expect(page.textContent).toBe("1002");
  await show(createElement(Latest, { topic: "b" }));
  expect(page.textContent).toBe("none");
});

test("a component that takes the place of another has the latest value at once", async () => {
  const { it, show } = provided();
  streamRouter(it).publish("a");
  const Latest = () => createElement("b", null, String(useLatest("a")?.data ?? "none"));
  await show(createElement(Latest, { key: "one" }));
  await passes(it, 100);
  expect(page.textContent).toBe("1000");
  await show(createElement(Latest, { key: "two" }));
  await passes(it, 100);
  expect(page.textContent).toBe("1000");
});

test("the latest value is never another client's, whose user may be another", async () => {
  const { it, client } = provided();
  streamRouter(it).publish("a");
  const Latest = () => createElement("b", null, String(useLatest("a")?.data ?? "none"));
  const show = (of: typeof client) =>
    render(createElement(TagwireProvider, { client: of }, createElement(Latest)));
  await show(client);
  await passes(it, 100);
  expect(page.textContent).toBe("1000");
  await show(world().connect());
  expect(page.textContent).toBe("none");
});

test("the state of the connection is shown as it changes", async () => {
  const { it, show, socket } = provided();
  const State = () => createElement("b", null, useConnectionState());
  await show(createElement(State));
  expect(page.textContent).toBe("connecting");
  await passes(it);
  expect(page.textContent).toBe("connected");
  await act(async () => socket().close());
  expect(page.textContent).toBe("connecting");
});

test("a provider with an address connects while it is mounted, and closes", async () => {
  const it = world();
  const sockets: { protocols: string[]; isClosed: boolean }[] = [];
  class Socket {
    onopen: (() => void) | null = null;
    onmessage = null;
    onclose = null;
    onerror = null;
    send() {}
    readonly #own: (typeof sockets)[number];
    constructor(_: string, protocols: string[]) {
      this.#own = { protocols, isClosed: false };
      sockets.push(this.#own);
    }
    close() {
      this.#own.isClosed = true;
    }
  }
  const clients = new Set<unknown>();
  const See = () => {
    clients.add(useTagwire());
    return null;
  };
  const app = (token: string) =>
    createElement(
      TagwireProvider,
      { url: "ws://127.0.0.1:9", token: () => token, WebSocket: Socket as never },
      createElement(See),
    );
  await render(app("one"));
  await render(app("two"));
  await act(() => it.advance(1));
  const open = () => sockets.filter(({ isClosed }) => !isClosed);
  expect(open()).toHaveLength(1);
  expect(clients.has(null)).toBe(true);
  await render(null);
  expect(open()).toEqual([]);
});

test("on a server nothing connects", () => {
  const State = () => createElement("b", null, useConnectionState());
  const token = () => {
    throw new Error("it connects");
  };
  const app = createElement(TagwireProvider, { url: "ws://127.0.0.1:9", token }, createElement(State));
  expect(renderToString(app)).toBe("<b>connecting</b>");
});
