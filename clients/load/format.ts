// Numbers and times as text for people.

/** Returns a number with thousands separators: 12,345. */
export const count = (value: number) => value.toLocaleString("en-US");

/** Returns a number with about three digits: 0.85, 12.3, 1,235. */
export function digits(value: number): string {
  const maximumFractionDigits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return value.toLocaleString("en-US", { maximumFractionDigits });
}

/** Returns a duration in its two largest units: 12 s, 3 min 5 s, 26 h 40 min. */
export function elapsed(seconds: number): string {
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (whole < 120) return `${whole} s`;
  if (minutes < 120) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
