// A program whose clock is wrong: the option for Node that shifts its Date by some ms.

const HOUR_MS = 3_600_000;

/** Clocks of workers: right, two hours behind, and two hours ahead. */
export const SKEWS_MS = [0, -2 * HOUR_MS, 2 * HOUR_MS];

/** The settings of a program whose clock is ahead by so many ms. Both versions can have them. */
export function skewedBy(ms: number): Record<string, string> {
  const code = `
    const Right = Date;
    globalThis.Date = class extends Right {
      constructor(...given) { super(...(given.length > 0 ? given : [Right.now() + ${ms}])); }
      static now() { return Right.now() + ${ms}; }
    };`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
}
