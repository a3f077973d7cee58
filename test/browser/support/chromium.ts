import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Starts a headless Chromium. Throws with what to install if there is none. */
export function launch(): Promise<Browser> {
  const executablePath = process.env["CHROMIUM"] ?? PATHS.find((path) => existsSync(path));
  if (!executablePath)
    throw new Error("there is no Chromium: apt-get install chromium, or set CHROMIUM to its path");
  // CI runs as root in a container, where Chromium's own sandbox cannot be set up.
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}
