import type { PublishRequest } from "../../../client/index.ts";
import { connection } from "./connection.ts";
import { byId, form, input, tell } from "./element.ts";
import { published } from "./published.ts";
import { received } from "./received.ts";
import { snippets } from "./snippets.ts";
import { tabs } from "./tabs.ts";
import { TARGETS, type TargetKind } from "./target.ts";

const { origin } = location;
const socketUrl = origin.replace(/^http/, "ws");
byId("address", HTMLElement).textContent = origin;

const select = (id: string) => byId(id, HTMLSelectElement);
const user = new URLSearchParams(location.search).get("user");
if (user) input("user").value = user;

const router = connection(received(), () => draw());
const sent = published(router.token);
const draw = tabs(
  snippets(() => ({
    httpUrl: origin,
    socketUrl,
    user: input("user").value.trim(),
    topic: input("topic").value.trim() || "orders",
    token: router.lastToken(),
  })),
);
for (const id of ["user", "topic"]) input(id).addEventListener("input", draw);

form("connect").addEventListener("submit", (event) => {
  event.preventDefault();
  router.connect();
});

form("subscribe").addEventListener("submit", (event) => {
  event.preventDefault();
  router.subscribe(input("topic").value.trim());
});

/** What was typed for each kind of target. */
const typed: Partial<Record<TargetKind, string>> = {};
let kind: TargetKind = "topic";
select("target").addEventListener("change", async () => {
  const value = input("value");
  typed[kind] = value.value;
  kind = select("target").value as TargetKind;
  byId("value-label", HTMLElement).textContent = TARGETS[kind].label;
  byId("value-field", HTMLElement).hidden = kind === "everyone";
  value.required = kind !== "everyone";
  value.value = typed[kind] ?? (kind === "user" ? input("user").value : "");
  if (kind === "connection" && !value.value) value.value = (await router.client()?.connectionId()) ?? "";
});

form("publish").addEventListener("submit", async (event) => {
  event.preventDefault();
  tell("publish-problem");
  try {
    const request = requested();
    const client = router.client();
    if (!client) throw new Error("connect first");
    const { id } = await client.publish(request);
    sent.add(id, request);
  } catch (fault) {
    tell("publish-problem", fault instanceof Error ? fault.message : String(fault));
  }
});

function requested(): PublishRequest {
  const event = input("event").value.trim();
  const delaySeconds = input("delay").valueAsNumber || 0;
  return {
    target: TARGETS[kind].of(input("value").value.trim()),
    data: dataIn(byId("data", HTMLTextAreaElement).value),
    priority: select("priority").value as "high" | "normal" | "low",
    ...(event ? { event } : {}),
    ...(delaySeconds > 0 ? { delaySeconds } : {}),
  };
}

function dataIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`the data must be JSON, as in { "order": 1 } or "a text"`);
  }
}

router.subscribe("orders");
router.connect();
