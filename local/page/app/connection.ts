import { type Client, type ClientEvents, type ConnectionState, connect } from "../../../client/index.ts";
import { button, byId, clock, input, make, tell } from "./element.ts";
import { list } from "./list.ts";
import { network } from "./network.ts";
import type { received } from "./received.ts";
import { fetchToken, NoToken } from "./token.ts";

export interface Connection {
  /** Undefined until someone has connected. */
  client(): Client | undefined;
  /** A token of the user that is connected. */
  token(): Promise<string>;
  /** The last token, for the snippets. */
  lastToken(): string;
  connect(): void;
  subscribe(topic: string): void;
}

const KINDS = { connected: "good", connecting: "busy", closed: "bad" } as const;

/** The client of the page: who it is, its topics, and what becomes of its connection. */
export function connection(feed: ReturnType<typeof received>, onToken: () => void): Connection {
  const events = list("events");
  const line = network();
  const topics = new Set<string>();
  let client: Client | undefined;
  let held = "";
  let ends: (() => void)[] = [];

  const log = (kind: string, word: string, text = "") =>
    events.add(
      make(
        "li",
        "",
        make("div", "row", make("span", `badge ${kind}`, word), make("span", "said", text), clock()),
      ),
    );
  const freshToken = async () => {
    const tags = input("tags").value.split(/\s+/).filter(Boolean);
    held = await fetchToken(input("user").value.trim(), tags);
    onToken();
    return held;
  };

  const paint = (state: ConnectionState, text: string) => {
    byId("state", HTMLElement).dataset["state"] = state;
    byId("state-text", HTMLElement).textContent = text.trim();
  };
  const show = ({ state, reason, retryInMilliseconds: wait }: ClientEvents["state"]) => {
    const word = line.isCut() && state === "connecting" ? "cut" : state;
    const who = state === "connected" ? `as ${input("user").value.trim()}` : "";
    const why = reason && state !== "connected" ? reason.message : "";
    const then = wait === undefined ? "" : `; again in ${(wait / 1000).toFixed(1)} s`;
    paint(state, `${word} ${who}`);
    log(KINDS[state], word, who + why + then);
    if (reason?.cause instanceof NoToken) tell("connect-problem", reason.cause.message);
  };
  const join = (topic: string) => {
    const subscription = client?.subscribe(topic, feed.add);
    const leave = make("button", "", "×");
    leave.type = "button";
    leave.setAttribute("aria-label", `Unsubscribe from ${topic}`);
    const chip = make("li", "", make("span", "", topic), leave);
    leave.onclick = () => {
      subscription?.unsubscribe();
      topics.delete(topic);
      chip.remove();
    };
    byId("topics", HTMLUListElement).append(chip);
  };

  const cut = button("cut");
  cut.onclick = () => {
    if (line.isCut()) line.restore();
    else line.cut();
    cut.setAttribute("aria-pressed", String(line.isCut()));
    cut.textContent = line.isCut() ? "Restore the connection" : "Cut the connection";
  };

  return {
    client: () => client,
    token: async () => held || freshToken(),
    lastToken: () => held,
    connect() {
      for (const end of ends) end();
      client?.close();
      tell("connect-problem");
      byId("topics", HTMLUListElement).replaceChildren();
      held = "";
      paint("connecting", "connecting");
      const opened = connect({ url: location.origin, token: freshToken, WebSocket: line.WebSocket });
      client = opened;
      ends = [
        opened.on("state", show),
        opened.on("recovered", ({ topic, since, position }) =>
          log(
            "good",
            "recovered",
            `${topic}: ${since === position ? "nothing was missed" : `all that was missed, from number ${since} to ${position}`}`,
          ),
        ),
        opened.on("gap", ({ topic, since }) => log("bad", "gap", `in ${topic}, after number ${since}`)),
        opened.on("error", (error) => log("bad", error.code, error.message)),
      ];
      for (const to of ["user", "everyone", "connection", "tags"] as const) opened.receive(to, feed.add);
      for (const topic of topics) join(topic);
      cut.disabled = false;
    },
    subscribe(topic) {
      if (topics.has(topic)) return;
      topics.add(topic);
      join(topic);
    },
  };
}
