import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { mintToken } from "tagwire/server";

/** Serves the page, and signs a token for whoever asks: your backend asks for a login first. */
const TYPES = { html: "text/html", js: "text/javascript" };
const secret = process.env.TAGWIRE_SECRET;

createServer(async ({ url = "/" }, response) => {
  if (url === "/tagwire-token")
    return response.end(
      await mintToken({ user: "anna", subscribe: ["orders", "price"], ttlSeconds: 900, secret }),
    );
  const file = url === "/" ? "index.html" : url.slice(1);
  if (!["index.html", "dist/app.js"].includes(file)) return response.writeHead(404).end();
  response.setHeader("content-type", TYPES[file.split(".").at(-1)]);
  response.end(await readFile(file));
}).listen(8080, () => console.log("http://localhost:8080"));
