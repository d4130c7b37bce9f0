// The names of all settings MDP_…, to find mistyped ones. A test compares them with .env.example.

const NAMES = [
  "MDP_BIND",
  "MDP_BROKER",
  "MDP_CONNECTIONS_MAX",
  "MDP_CONSOLE_HOST",
  "MDP_CONSOLE_PORT",
  "MDP_DB_FILE",
  "MDP_DB_RECORDS_BYTES_MAX",
  "MDP_DB_RECORDS_MAX",
  "MDP_DB_RECORDS_MS",
  "MDP_DELIVERIES_MAX",
  "MDP_DRAIN_MS",
  "MDP_HEALTH_HOST",
  "MDP_HEALTH_PORT",
  "MDP_HEARTBEAT_INTERVAL_MS",
  "MDP_HEARTBEAT_LIVENESS",
  "MDP_MEMORY_MAX",
  "MDP_MESSAGE_BYTES_MAX",
  "MDP_NOTICE_BROKEN_CONNECTIONS",
  "MDP_OUTCOMES_BYTES_MAX",
  "MDP_OUTCOMES_MAX",
  "MDP_OUTCOMES_MS",
  "MDP_PORT",
  "MDP_QUEUE_BYTES_MAX",
  "MDP_QUEUE_MAX",
  "MDP_READY",
  "MDP_REQUEST_TTL_MS",
  "MDP_SERVICES_MAX",
  "MDP_TIME_LIMIT_MS",
  "MDP_TRANSPORT",
];

/**
 * Returns a sentence per name in `given` that starts with MDP_ and is no setting: neither of this
 * project nor one of `own`. The sentence has the nearest name.
 */
export function mistypedNames(given: string[], own: string[]): string[] {
  const known = [...new Set([...NAMES, ...own.filter((name) => name.startsWith("MDP_"))])];
  return given
    .filter((name) => /^MDP_/i.test(name) && !known.includes(name))
    .map((name) => `${name} is no setting; the nearest one is ${nearest(name, known)}`);
}

function nearest(name: string, known: string[]): string {
  const upper = name.toUpperCase();
  const distances = known.map((one) => {
    const distance = Math.min(distanceOf(upper, one), 1 + distanceOf(sorted(upper), sorted(one)));
    return { one, distance };
  });
  return distances.reduce((best, next) => (next.distance < best.distance ? next : best)).one;
}

/** The words in alphabetical order: MDP_MAX_QUEUE and MDP_QUEUE_MAX are near. */
const sorted = (name: string) => name.split("_").sort().join("_");

/** The Levenshtein distance: how many letters to insert, remove or replace. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (const [index, letter] of [...a].entries()) {
    const next = [index + 1];
    for (const [at, other] of [...b].entries()) {
      const replaced = (row[at] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
