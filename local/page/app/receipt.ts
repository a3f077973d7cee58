/** Where a message stands. `queued`: no run has met it. */
export interface Standing {
  readonly state: string;
  /** Connections, in words. Empty while there is nothing to say. */
  readonly counts: string;
  readonly hasEnded: boolean;
}

interface Receipt {
  readonly state: string;
  readonly counts: Readonly<Record<"sent" | "gone" | "failed" | "pending", number>>;
}

const ENDINGS = /^(delivered|partial|no-recipients|expired|cancelled|dead)$/;
/** Between two looks, in milliseconds: the first, and the longest. */
const LOOK = { first: 250, longest: 3_000 };

/** Reads a receipt until the message has ended, and tells each change. */
export async function follow(
  id: string,
  token: () => Promise<string>,
  onChange: (standing: Standing) => void,
): Promise<void> {
  let last = "";
  for (let wait = LOOK.first; ; wait = Math.min(LOOK.longest, wait * 1.5)) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    const standing = await read(id, token).catch(() => undefined);
    const text = JSON.stringify(standing);
    if (standing && text !== last) {
      last = text;
      onChange(standing);
    }
    if (standing?.hasEnded) return;
  }
}

/** Asks the router to cancel what has not been delivered. */
export async function cancel(id: string, token: () => Promise<string>): Promise<void> {
  await ask(id, token, "DELETE");
}

async function read(id: string, token: () => Promise<string>): Promise<Standing | undefined> {
  const response = await ask(id, token, "GET");
  if (response.status === 404) return { state: "queued", counts: "", hasEnded: false };
  if (!response.ok) return undefined;
  const { state, counts } = (await response.json()) as Receipt;
  const words = Object.entries(counts).flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : []));
  return { state, counts: words.join(", "), hasEnded: ENDINGS.test(state) };
}

const ask = async (id: string, token: () => Promise<string>, method: string): Promise<Response> =>
  fetch(`/v1/messages/${encodeURIComponent(id)}`, {
    method,
    headers: { authorization: `Bearer ${await token()}` },
  });
