// Draws the timeline in the browser: requests as dots, and faults in one lane per program, on the same
// time axis. Dragging zooms both charts; a double click resets them.

const data = JSON.parse(document.getElementById("data").textContent);
const { seconds, services, outcomes, targets, dots, faults, marks } = data;
const seriesOf = (index) =>
  outcomes[dots.outcome[index]] === "answered" ? services[dots.service[index]] : "bad";

const LANE = 34; // Height of a lane, in pixels: marks above, bar and label below.
const BAR = 18; // Height of a bar, in pixels.
const [MARK_AT, BAR_AT] = [-9, 6]; // Their middles, below that of the lane, in pixels.
const LEFT = 76; // Width of the left axes, in pixels; equal in both charts so that times align.
const NEAR = 12; // Distance within which the pointer selects a dot, in pixels.
const FAMILIES = {
  killed: "ended",
  terminated: "ended",
  restarted: "ended",
  frozen: "still",
  paused: "still",
  "cut off": "network",
  "black-holed": "network",
  "losing packets": "network",
};
const SIGNS = { removal: "▼", recovery: "▲" };

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);
const clock = (at) => {
  const whole = Math.floor(at / 60);
  const rest = (at % 60).toFixed(at % 1 === 0 ? 0 : 1);
  return `${whole}:${rest.padStart(rest.includes(".") ? 4 : 2, "0")}`;
};
const time = (ms) => (ms < 1000 ? `${ms} ms` : `${Math.round(ms / 10) / 100} s`);

const hidden = new Set(); // Names of the hidden series.
let charts = [];

function build() {
  for (const chart of charts) chart.destroy();
  charts = [drawDots(document.getElementById("dots")), drawLanes(document.getElementById("lanes"))];
  for (const chart of charts)
    chart.root.addEventListener("mouseleave", () => showTip(chart, "", 0, 0));
}

function width() {
  return document.getElementById("dots").clientWidth - 14;
}

function drawDots(place) {
  const series = [...services, "bad"];
  const columns = series.map((name) =>
    atBothEnds(
      null,
      dots.ms.map((ms, index) => (seriesOf(index) === name ? ms : null)),
      null,
    ),
  );
  const chart = new uPlot(
    {
      width: width(),
      height: 440,
      ...sharedOptions(),
      scales: { x: scaleX(), y: { distr: 3, range: rangeY } },
      axes: [axisX(), axisY()],
      series: [
        {},
        ...series.map((name) => ({
          show: !hidden.has(name),
          paths: () => null,
          points: {
            show: true,
            size: name === "bad" ? 7 : 3.5,
            width: 0,
            fill: color(name),
            stroke: color(name),
          },
        })),
      ],
      hooks: { drawClear: [shadeBrokerFaults], setScale: [syncZoom], setCursor: [showDotTip] },
    },
    [atBothEnds(0, dots.at, seconds), ...columns],
    place,
  );
  for (const button of place.querySelectorAll("button")) {
    button.onclick = () => {
      const name = button.dataset.series;
      if (!hidden.delete(name)) hidden.add(name);
      button.setAttribute("aria-pressed", String(!hidden.has(name)));
      chart.setSeries(series.indexOf(name) + 1, { show: !hidden.has(name) });
    };
  }
  return chart;
}

/** Without values at both ends of the run, the chart would end at the last dot. */
const atBothEnds = (first, values, last) => [first, ...values, last];

function drawLanes(place) {
  return new uPlot(
    {
      width: width(),
      height: targets.length * LANE + 42,
      ...sharedOptions(),
      scales: { x: scaleX(), y: { range: [0, targets.length] } },
      axes: [
        axisX(),
        {
          ...axis(),
          size: LEFT,
          splits: () => targets.map((_, lane) => middle(lane)),
          values: () => targets,
          grid: { show: false },
        },
      ],
      series: [{}, { paths: () => null, points: { show: false } }],
      hooks: { draw: [drawFaults, drawMarks], setScale: [syncZoom], setCursor: [showFaultTip] },
    },
    [
      [0, seconds],
      [null, null],
    ],
    place,
  );
}

const middle = (lane) => targets.length - lane - 0.5;

function sharedOptions() {
  return {
    legend: { show: false },
    cursor: { points: { show: false }, y: false, drag: { x: true, y: false } },
    padding: [8, 12, 0, 0],
  };
}

function scaleX() {
  return { time: false, range: (_, from, to) => [Math.max(from, 0), Math.min(to, seconds)] };
}

/** Leaves room for the dots at both ends. */
const rangeY = (_, least, most) => [(least || 1) / 2, (most || 1000) * 2];

const axis = () => ({
  stroke: color("faint"),
  font: "12px system-ui, sans-serif",
  grid: { stroke: color("line"), width: 1 },
  ticks: { stroke: color("line"), width: 1 },
});

const axisX = () => ({
  ...axis(),
  size: 34,
  values: (_, at) => at.map(clock),
  incrs: [0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600],
});

/** Labels powers of ten only. */
function axisY() {
  const power = (ms) => (Number.isInteger(Math.log10(ms)) ? ms : null);
  const filter = (_, splits) => splits.map(power);
  const { grid, ticks, ...rest } = axis();
  return {
    ...rest,
    size: LEFT,
    filter,
    grid: { ...grid, filter },
    ticks: { ...ticks, filter },
    values: (_, splits) => splits.map((ms) => (ms === null ? null : time(ms))),
  };
}

/** Zooms the other chart to the same times. */
function syncZoom(chart, key) {
  if (key !== "x") return;
  const { min, max } = chart.scales.x;
  for (const other of charts) {
    const { x } = other.scales;
    if (other !== chart && (x.min !== min || x.max !== max)) other.setScale("x", { min, max });
  }
}

/** Shades the broker's faults, during which all requests wait. */
function shadeBrokerFaults(chart) {
  const { ctx, bbox } = chart;
  ctx.save();
  for (const { lane, kind, from, to } of faults) {
    if (targets[lane] !== "broker") continue;
    const [left, wide] = extent(chart, from, to);
    ctx.globalAlpha = 0.13;
    ctx.fillStyle = color(FAMILIES[kind]);
    ctx.fillRect(left, bbox.top, wide, bbox.height);
  }
  ctx.restore();
}

/** Left edge and width of a time span, in canvas pixels, clipped to the plot. */
function extent(chart, from, to) {
  const { left, width } = chart.bbox;
  const at = (x) => Math.min(Math.max(chart.valToPos(x, "x", true), left), left + width);
  const wide = at(to) - at(from);
  const seen = to >= chart.scales.x.min && from <= chart.scales.x.max;
  return [at(from), seen ? Math.max(wide, 2) : 0];
}

function drawFaults(chart) {
  const { ctx } = chart;
  const scale = devicePixelRatio;
  ctx.save();
  ctx.font = `${11 * scale}px system-ui, sans-serif`;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  for (const lane of targets.keys()) {
    const y = chart.valToPos(middle(lane), "y", true) + BAR_AT * scale;
    const bars = barsOf(chart, lane);
    for (const bar of bars) drawBar(ctx, bar, y);
    ctx.fillStyle = color("text");
    for (const [text, x] of labels(chart, bars)) ctx.fillText(text, x, y + scale);
  }
  ctx.restore();
}

/** The visible bars of a lane, from left to right, in canvas pixels. */
function barsOf(chart, lane) {
  return faults
    .filter((fault) => fault.lane === lane)
    .map(({ kind, from, to }) => [kind, ...extent(chart, from, to)])
    .filter(([, , wide]) => wide > 0)
    .map(([kind, left, wide]) => ({ kind, left, wide }))
    .sort((one, other) => one.left - other.left);
}

function drawBar(ctx, { kind, left, wide }, y) {
  const scale = devicePixelRatio;
  ctx.fillStyle = color(FAMILIES[kind]);
  ctx.globalAlpha = 0.35;
  ctx.fillRect(left, y - (BAR * scale) / 2, wide, BAR * scale);
  ctx.globalAlpha = 1;
  ctx.fillRect(left, y - (BAR * scale) / 2, 2 * scale, BAR * scale);
}

/**
 * The labels of bars, with their places: from the left edge of the bar if the next bar leaves room, else
 * before the bar. A bar between close neighbours has none; its tooltip has its kind.
 */
function labels({ ctx, bbox }, bars) {
  const gap = 5 * devicePixelRatio;
  let taken = bbox.left; // Up to here, a bar or a label takes the lane.
  return bars.flatMap(({ kind, left, wide }, nth) => {
    const width = ctx.measureText(kind).width;
    const room = (bars[nth + 1]?.left ?? bbox.left + bbox.width) - left;
    const [before, free] = [left - gap - width, taken];
    const fits = width + gap <= room;
    taken = Math.max(taken, left + wide, fits ? left + gap + width : left);
    if (fits) return [[kind, left + gap]];
    return before >= free ? [[kind, before]] : [];
  });
}

function drawMarks(chart) {
  const { ctx, bbox } = chart;
  const scale = devicePixelRatio;
  ctx.save();
  ctx.font = `${11 * scale}px system-ui, sans-serif`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  for (const { lane, sign, at } of marks) {
    const x = chart.valToPos(at, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.fillStyle = color(sign === "removal" ? "bad" : "passed");
    ctx.fillText(SIGNS[sign], x, chart.valToPos(middle(lane), "y", true) + MARK_AT * scale);
  }
  ctx.restore();
}

function showDotTip(chart) {
  const { left, top } = chart.cursor;
  const index = left < 0 ? -1 : nearestDot(chart, left, top);
  if (index < 0) return showTip(chart, "", left, top);
  const outcome = `${services[dots.service[index]]}, ${outcomes[dots.outcome[index]]}`;
  const span = `start ${clock(dots.at[index])}, latency ${time(dots.ms[index])}`;
  showTip(chart, `${outcome}\n${span}`, left, top);
}

function nearestDot(chart, left, top) {
  const from = chart.posToVal(left - NEAR, "x");
  const to = chart.posToVal(left + NEAR, "x");
  let [nearest, distance] = [-1, NEAR];
  for (let index = firstFrom(from); index < dots.at.length && dots.at[index] <= to; index += 1) {
    if (hidden.has(seriesOf(index))) continue;
    const x = chart.valToPos(dots.at[index], "x") - left;
    const y = chart.valToPos(dots.ms[index], "y") - top;
    if (Math.hypot(x, y) >= distance) continue;
    [nearest, distance] = [index, Math.hypot(x, y)];
  }
  return nearest;
}

function firstFrom(from) {
  let [low, high] = [0, dots.at.length];
  while (low < high) {
    const half = (low + high) >> 1;
    if (dots.at[half] < from) low = half + 1;
    else high = half;
  }
  return low;
}

function showFaultTip(chart) {
  const { left, top } = chart.cursor;
  const at = chart.posToVal(left, "x");
  const lane = targets.length - Math.ceil(chart.posToVal(top, "y"));
  const slack = Math.abs(chart.posToVal(left + 6, "x") - at);
  const here = left < 0 ? [] : [...faultsAt(lane, at, slack), ...marksAt(lane, at, slack)];
  showTip(chart, here.join("\n"), left, top);
}

const faultsAt = (lane, at, slack) =>
  faults
    .filter((fault) => fault.lane === lane && at >= fault.from - slack && at <= fault.to + slack)
    .map(({ kind, from, to }) => {
      const ms = Math.round((to - from) * 1000);
      return `${targets[lane]} ${kind}\nstart ${clock(from)}, duration ${time(ms)}`;
    });

const marksAt = (lane, at, slack) =>
  marks
    .filter((mark) => mark.lane === lane && Math.abs(mark.at - at) <= slack)
    .map(({ text }) => text);

/** Shows a tooltip beside the pointer, inside the chart. */
function showTip(chart, text, left, top) {
  const place = chart.root.parentElement;
  const tip = place.querySelector(".tip");
  tip.textContent = text;
  if (text === "") return;
  const { offsetLeft, offsetTop } = chart.over;
  const x = chart.root.offsetLeft + offsetLeft + left + 14;
  const most = place.clientWidth - tip.offsetWidth - 8;
  tip.style.left = `${x > most ? x - tip.offsetWidth - 28 : x}px`;
  tip.style.top = `${chart.root.offsetTop + offsetTop + top + 14}px`;
}

build();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", build);
addEventListener("resize", () => {
  for (const chart of charts) chart.setSize({ width: width(), height: chart.height });
});
