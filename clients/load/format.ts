// How figures are written for people.

export const count = (value: number) => value.toLocaleString("en-US");

/** About three digits. */
export function digits(value: number): string {
  const maximumFractionDigits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return value.toLocaleString("en-US", { maximumFractionDigits });
}

/** The two largest units of a time: 12 s, 3 min 5 s, 26 h 40 min. */
export function elapsed(seconds: number): string {
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (whole < 120) return `${whole} s`;
  if (minutes < 120) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
