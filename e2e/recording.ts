// Draws a terminal recording as one animated SVG. CSS moves two elements in steps: the text scrolls,
// and a cover in the colour of the background hides the rows that are still to come. The picture
// needs no script, so it plays inside an <img>. With reduced motion it shows its last frame.

/** A line of output, and the time in ms since the start at which the program wrote it. */
export type TimedLine = { atMs: number; text: string };

const COLUMNS_MAX = 100;
const ROWS_MAX = 30;
const PAUSE_MAX_MS = 1500; // Longer pauses of the program are cut to this.
const STEP_MS = 50; // Lines that the program writes at nearly the same time appear together.
const END_MS = 8000; // How long the last frame stays before the recording starts again.

const COLUMN_PX = 7.8;
const ROW_PX = 18;
const MARGIN_PX = 16;

/** Returns the SVG of a terminal in which `command` runs and writes these lines. */
export function recording(command: string, lines: TimedLine[]): string {
  const rows = paced([{ atMs: 0, text: `$ ${command}` }, ...lines]).flatMap(wrapped);
  const columns = Math.max(...rows.map(({ text }) => text.length));
  const width = Math.ceil(columns * COLUMN_PX);
  const height = Math.min(rows.length, ROWS_MAX) * ROW_PX;
  const outerWidth = width + 2 * MARGIN_PX;
  const outerHeight = height + 2 * MARGIN_PX;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${outerWidth} ${outerHeight}" \
width="${outerWidth}" height="${outerHeight}" role="img">
<title>Terminal recording of ${escaped(command)}</title>
<style>
${styles(rows)}
</style>
<rect class="screen" x=".5" y=".5" width="${outerWidth - 1}" height="${outerHeight - 1}" rx="8"/>
<svg x="${MARGIN_PX}" y="${MARGIN_PX}" width="${width}" height="${height}" aria-hidden="true">
<g class="text">
${rows.map(textOf).join("\n")}
<rect class="cover" width="${width}" height="${height}"/>
</g>
</svg>
</svg>
`;
}

/** Returns the same lines with long pauses cut short. */
function paced(lines: TimedLine[]): TimedLine[] {
  let atMs = 0;
  return lines.map(({ text, atMs: writtenMs }, index) => {
    atMs += Math.min(writtenMs - (lines[index - 1]?.atMs ?? 0), PAUSE_MAX_MS);
    return { atMs: Math.round(atMs / STEP_MS) * STEP_MS, text };
  });
}

/** Breaks a line as a terminal of `COLUMNS_MAX` columns does. */
function wrapped({ atMs, text }: TimedLine): TimedLine[] {
  const count = Math.max(1, Math.ceil(text.length / COLUMNS_MAX));
  return Array.from({ length: count }, (_, nth) => ({
    atMs,
    text: text.slice(nth * COLUMNS_MAX, (nth + 1) * COLUMNS_MAX),
  }));
}

function styles(rows: TimedLine[]): string {
  const durationMs = (rows.at(-1)?.atMs ?? 0) + END_MS;
  const animation = `${durationMs}ms step-end infinite`;
  return `\
svg { ${LIGHT} }
@media (prefers-color-scheme: dark) { svg { ${DARK} } }
text { font: 13px ${FONTS}; fill: var(--text); }
.screen { fill: var(--screen); stroke: var(--border); }
.cover { fill: var(--screen); ${shift(rows.length)} animation: cover ${animation}; }
.text { ${shift(-hiddenAbove(rows.length))} animation: scroll ${animation}; }
.time { fill: var(--dim); }
.demo { fill: var(--demo); font-weight: bold; }
.broker { fill: var(--broker); }
.load { fill: var(--load); }
.verdict { fill: var(--load); font-weight: bold; }
${keyframes("cover", rows, durationMs, (shown) => shown)}
${keyframes("scroll", rows, durationMs, (shown) => -hiddenAbove(shown))}
@media (prefers-reduced-motion: reduce) { .cover, .text { animation: none; } }`;
}

/** Returns an animation with one step for each time at which rows appear. */
function keyframes(
  name: string,
  rows: TimedLine[],
  durationMs: number,
  rowsAt: (shown: number) => number,
) {
  const times = [...new Set(rows.map(({ atMs }) => atMs))];
  const frames = times.map((time) => {
    const shown = rows.filter(({ atMs }) => atMs <= time).length;
    return `${+((time / durationMs) * 100).toFixed(2)}% { ${shift(rowsAt(shown))} }`;
  });
  return `@keyframes ${name} { ${frames.join(" ")} }`;
}

const hiddenAbove = (shown: number) => Math.max(0, shown - ROWS_MAX);
const shift = (rows: number) => `transform: translateY(${rows * ROW_PX}px);`;

/** `textLength` keeps the columns aligned if the reader's font is wider or narrower. */
function textOf({ text }: TimedLine, index: number): string {
  if (text.trim() === "") return "";
  const y = index * ROW_PX + 13;
  return `<text y="${y}" textLength="${+(text.length * COLUMN_PX).toFixed(1)}">${coloured(text)}</text>`;
}

function coloured(text: string): string {
  const [, time, program, sentence] = /^( *[\d.]+ s {2})(demo|broker|load)\b(.*)/.exec(text) ?? [];
  if (program === undefined) return /^pass/i.test(text) ? span("verdict", text) : escaped(text);
  return span("time", time) + span(program, program) + escaped(sentence);
}

const span = (name: string, text = "") => `<tspan class="${name}">${escaped(text)}</tspan>`;

/** With no-break spaces, because browsers collapse the others in different ways. */
function escaped(text = ""): string {
  const markup = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return markup.replaceAll(" ", "\u00a0");
}

const FONTS = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace';
const LIGHT =
  "--screen: #ffffff; --border: #d0d7de; --text: #1f2328; --dim: #656d76; " +
  "--demo: #0550ae; --broker: #8250df; --load: #116329;";
const DARK =
  "--screen: #0d1117; --border: #30363d; --text: #e6edf3; --dim: #8b949e; " +
  "--demo: #79c0ff; --broker: #d2a8ff; --load: #7ee787;";
