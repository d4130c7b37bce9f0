// Figures as text.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** A count, with separators. */
export const count = (value) => whole.format(value);

/** A count with its noun: `1 worker`, `2 workers`. */
export const plural = (value, noun) => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;

/** A rate per second; a dash for an unknown one. */
export const rate = (value) => (value === null ? "–" : (value < 10 ? tenths : whole).format(value));

/** A duration: `0.8 ms`, `240 ms`, `3.2 s`, `5 min`; a dash for an unknown one. */
export function duration(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 10) return `${tenths.format(ms)} ms`;
  if (ms < 1000) return `${whole.format(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${whole.format(ms / 60_000)} min`;
}

/** Seconds with one digit, for spans that count down: `6.7 s`. */
export const seconds = (ms) => `${(Math.max(ms, 0) / 1000).toFixed(1)} s`;

/** The short form of a request id: its sequence number at its broker. */
export const shortId = (request) => `#${Number.parseInt(request.slice(-12), 16)}`;

/** The time of day, with tenths of a second. */
export function clock(at) {
  const time = new Date(at);
  const two = (value) => String(value).padStart(2, "0");
  const tenth = Math.floor(time.getMilliseconds() / 100);
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${tenth}`;
}

/** A worker by its name, or by its address if it has none. */
export const workerName = ({ name, address }) => name ?? `${address.slice(0, 12)}`;
