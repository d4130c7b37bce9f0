// Charts as SVG, with colours for light and dark pages.

const WIDTH = 760;
const ROW = 24;
const TOP = 44;
const CHART = { left: 60, height: 260 };
/** The widest letters on average: bold ones of DejaVu Sans at 13 and at 15 px, in px. */
const LETTER = { text: 7.9, title: 9.2 };
const GAP = 8;

/** A horizontal bar. `text` stands at its end; `strong` bars are coloured: they are ours. */
export type Bar = { label: string; value: number; text: string; strong: boolean };

/** A bar chart, with a row per bar. A legend names the colours if both occur. */
export function bars(title: string, rows: Bar[]): string {
  const most = Math.max(...rows.map(({ value }) => value));
  const left = widthOf(rows.map(({ label }) => label)) + 2 * GAP;
  const room = WIDTH - left - widthOf(rows.map(({ text }) => text)) - 2 * GAP;
  const key = new Set(rows.map(({ strong }) => strong)).size === 2 ? legend(left) : [];
  const top = key.length > 0 ? ROW : 0;
  const drawn = rows.map(({ label, value, text, strong }, index) => {
    const y = top + index * ROW;
    const width = round(Math.max(1, (value / most) * room));
    return [
      textAt(left - GAP, y + 15, label, strong ? "end strong" : "end"),
      `<rect class="${strong ? "s0" : "other"}" x="${left}" y="${y + 3}" width="${width}" height="16"/>`,
      textAt(left + width + 6, y + 15, text, strong ? "strong" : ""),
    ].join("\n");
  });
  return svg(title, top + rows.length * ROW + GAP, [...key, ...drawn]);
}

function legend(left: number): string[] {
  const others = left + 20 + widthOf(["ours: this project"]);
  return [
    `<rect class="s0" x="${left}" y="2" width="12" height="12"/>`,
    textAt(left + 18, 13, "ours: this project", "strong"),
    `<rect class="other" x="${others}" y="2" width="12" height="12"/>`,
    textAt(others + 18, 13, "other systems", ""),
  ];
}

/** The room that the longest of these texts may need. */
const widthOf = (texts: string[]) =>
  Math.ceil(Math.max(...texts.map(({ length }) => length)) * LETTER.text);

/** A line of a chart. */
export type Series = { label: string; points: [x: number, y: number][] };

/** A line chart: x on a logarithmic axis that `axisTitle` names, y from zero. */
export function lines(title: string, axisTitle: string, series: Series[]): string {
  const points = series.flatMap((one) => one.points);
  const xs = [...new Set(points.map(([x]) => x))].toSorted((one, other) => one - other);
  const most = Math.max(1, ...points.map(([, y]) => y)) * 1.1;
  const least = Math.log(Math.min(...xs));
  const span = Math.log(Math.max(...xs)) - least || 1;
  const right = widthOf(series.map(({ label }) => label)) + 2 * GAP;
  const room = WIDTH - CHART.left - right;
  const xAt = (x: number) => round(CHART.left + ((Math.log(x) - least) / span) * room);
  const yAt = (y: number) => round(CHART.height - (y / most) * CHART.height);
  const grid = stepsTo(most).flatMap((y) => [
    `<path class="grid" d="M${CHART.left} ${yAt(y)}h${room}"/>`,
    textAt(CHART.left - 8, yAt(y) + 4, `${y}`, "end"),
  ]);
  const axis = xs.map((x) =>
    textAt(xAt(x), CHART.height + 18, x.toLocaleString("en-US"), "middle"),
  );
  const ends = spread(series.map(({ points }) => yAt(points.at(-1)?.[1] ?? 0)));
  const drawn = series.flatMap(({ label, points }, index) => {
    const path = points.map(([x, y]) => `${xAt(x)} ${yAt(y)}`).join("L");
    return [
      `<path class="line l${index % COLOURS}" d="M${path}"/>`,
      ...points.map(
        ([x, y]) => `<circle class="s${index % COLOURS}" cx="${xAt(x)}" cy="${yAt(y)}" r="3.5"/>`,
      ),
      textAt(WIDTH - right + 10, (ends[index] ?? 0) + 4, label, `t${index % COLOURS}`),
    ];
  });
  const below = textAt(CHART.left + room / 2, CHART.height + 38, axisTitle, "middle");
  return svg(title, CHART.height + 52, [...grid, ...axis, ...drawn, below]);
}

/** About five round numbers from 0 to `most`. */
export function stepsTo(most: number): number[] {
  const rough = most / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= rough) as number;
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, index) =>
    Number((index * step).toPrecision(3)),
  );
}

/** The heights of labels, moved apart so that no label covers another. */
export function spread(heights: number[]): number[] {
  const order = [...heights.keys()].toSorted((one, other) => at(one) - at(other));
  const moved = [...heights];
  let free = Number.NEGATIVE_INFINITY;
  for (const index of order) {
    moved[index] = Math.max(at(index), free);
    free = (moved[index] as number) + LINE;
  }
  return moved;
  function at(index: number) {
    return heights[index] as number;
  }
}

const LINE = 15;
const COLOURS = 4;

/** Draws the title, in as many lines as it needs, and the chart below it. */
function svg(title: string, height: number, drawn: string[]): string {
  const titleLines = wrapped(title, Math.floor((WIDTH - 2 * GAP) / LETTER.title));
  const top = TOP + (titleLines.length - 1) * TITLE_LINE;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top + height}" role="img"
  width="${WIDTH}" height="${top + height}" aria-label="${escaped(title)}">
<style>${STYLE}</style>
${titleLines.map((line, nth) => textAt(GAP, 22 + nth * TITLE_LINE, line, "title")).join("\n")}
<g transform="translate(0 ${top})">
${drawn.join("\n")}
</g>
</svg>
`;
}

const TITLE_LINE = 20;

/** Breaks a text between words into lines of at most `most` letters. */
export function wrapped(text: string, most: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = `${lines.at(-1)} ${word}`.trim();
    if (line.length > most) lines.push(word);
    else lines[lines.length - 1] = line;
  }
  return lines;
}

const LIGHT = ["#1d64c8", "#b4530a", "#6b7280", "#0f766e"];
const DARK = ["#6ea8fe", "#f0a35e", "#a1a9b5", "#4fd1c0"];
const colours = (of: string[]) =>
  of.map((colour, n) => `.s${n},.t${n}{fill:${colour}}.l${n}{stroke:${colour}}`).join("");
const STYLE =
  "text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-size:15px;font-weight:600}" +
  ".strong{font-weight:600}.end{text-anchor:end}.middle{text-anchor:middle}" +
  `.other{fill:#b0b7c0}.grid{stroke:#d5d9de}.line{fill:none;stroke-width:2}${colours(LIGHT)}` +
  "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.other{fill:#59636e}" +
  `.grid{stroke:#3d444d}${colours(DARK)}}`;

const textAt = (x: number, y: number, text: string, kind: string) =>
  `<text x="${x}" y="${y}"${kind && ` class="${kind}"`}>${escaped(text)}</text>`;

const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

const round = (value: number) => Math.round(value * 10) / 10;
