import { button, byId, make } from "./element.ts";

export interface Tab {
  readonly name: string;
  readonly text: () => string;
}

/** Tabs over one panel, by arrow keys too (WAI-ARIA Authoring Practices, "Tabs"). Returns what draws them anew. */
export function tabs(all: readonly Tab[]): () => void {
  const bar = byId("tabs", HTMLElement);
  const panel = byId("snippet", HTMLElement);
  const code = byId("code", HTMLElement);
  let chosen = 0;
  const buttons = all.map(({ name }, at) => {
    const tab = make("button", "", name);
    tab.type = "button";
    tab.id = `tab-${at}`;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panel.id);
    tab.onclick = () => choose(at);
    return tab;
  });
  const draw = () => {
    buttons.forEach((tab, at) => {
      tab.setAttribute("aria-selected", String(at === chosen));
      tab.tabIndex = at === chosen ? 0 : -1;
    });
    panel.setAttribute("aria-labelledby", `tab-${chosen}`);
    code.textContent = all[chosen]?.text() ?? "";
  };
  const choose = (at: number) => {
    chosen = (at + all.length) % all.length;
    draw();
  };
  bar.onkeydown = ({ key }) => {
    const to = { ArrowRight: chosen + 1, ArrowLeft: chosen - 1, Home: 0, End: all.length - 1 }[key];
    if (to === undefined) return;
    choose(to);
    buttons[chosen]?.focus();
  };
  const copy = button("copy");
  copy.onclick = async () => {
    await navigator.clipboard.writeText(code.textContent ?? "");
    copy.textContent = "Copied";
    setTimeout(() => {
      copy.textContent = "Copy";
    }, 1_500);
  };
  bar.append(...buttons);
  draw();
  return draw;
}
