import { connect } from "tagwire/client";

const client = connect({
  url: "ws://127.0.0.1:3000",
  token: async () => (await fetch("/tagwire-token")).text(),
});
client.subscribe("orders", ({ data }) => show(data), { last: 20 });
client.receive("user", ({ data }) => show(data));
client.on("state", ({ state }) => badge(state));
client.on("gap", () => location.reload());

/** Adds a line to the page. */
function show(data) {
  const line = document.createElement("li");
  line.textContent = JSON.stringify(data);
  document.querySelector("#messages").prepend(line);
}

/** Shows the state of the connection. */
function badge(state) {
  document.querySelector("#state").textContent = state;
}
