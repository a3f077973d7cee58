import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { TagwireProvider, useConnectionState, useLatest, useSubscription } from "tagwire/react";

const token = async () => (await fetch("/tagwire-token")).text();

function App() {
  return (
    <TagwireProvider url="ws://127.0.0.1:3000" token={token}>
      <State />
      <Price />
      <Orders />
    </TagwireProvider>
  );
}

function State() {
  return <output>{useConnectionState()}</output>;
}

function Price() {
  const price = useLatest("price");
  return <p>{price ? `The price is ${price.data}.` : "No price yet."}</p>;
}

function Orders() {
  const [orders, setOrders] = useState([]);
  useSubscription("orders", (message) => setOrders((before) => [message, ...before]), { last: 20 });
  return (
    <ul>
      {orders.map(({ id, data }) => (
        <li key={id}>{JSON.stringify(data)}</li>
      ))}
    </ul>
  );
}

createRoot(document.querySelector("#root")).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
