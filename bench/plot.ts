/** Bars, one per row. */
export interface Chart {
  readonly title: string;
  readonly bars: readonly { readonly label: string; readonly value: number; readonly control?: boolean }[];
  /** Where values are far apart. @default false */
  readonly logarithmic?: boolean;
}

const WIDTH = 720;
const LABEL = 250;
const ROW = 26;
const TOP = 34;

/** The chart as an SVG that reads on a light page and on a dark one. */
export function svg({ title, bars, logarithmic = false }: Chart): string {
  const height = TOP + bars.length * ROW + 8;
  const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
  const least = Math.min(...bars.map(({ value }) => value).filter((value) => value > 0), most);
  const share = (value: number) =>
    logarithmic
      ? (Math.log(Math.max(value, least) / least) + 0.3) / (Math.log(most / least) + 0.3)
      : value / most;
  const drawn = bars.map(({ label, value, control }, i) => {
    const y = TOP + i * ROW;
    const width = Math.max(1, share(value) * (WIDTH - LABEL - 90));
    return [
      `<text x="${LABEL - 8}" y="${y + 16}" text-anchor="end">${escaped(label)}</text>`,
      `<rect x="${LABEL}" y="${y + 4}" width="${width.toFixed(1)}" height="16" rx="2" class="${control ? "control" : "ours"}"/>`,
      `<text x="${LABEL + width + 6}" y="${y + 16}">${escaped(number(value))}</text>`,
    ].join("");
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    STYLE,
    `<text x="0" y="18" class="title">${escaped(title + (logarithmic ? " (logarithmic)" : ""))}</text>`,
    ...drawn,
    "</svg>",
    "",
  ].join("\n");
}

const STYLE =
  "<style>text{font:12px system-ui,sans-serif;fill:#57606a}.title{font-weight:600;font-size:13px}" +
  ".ours{fill:#2f81f7}.control{fill:#8c959f}" +
  "@media(prefers-color-scheme:dark){text{fill:#adbac7}.control{fill:#636e7b}}</style>";

const number = (value: number): string => value.toLocaleString("en-US", { maximumSignificantDigits: 3 });

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
