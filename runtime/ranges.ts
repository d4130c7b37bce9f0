// The ranges of values that programs read from the environment and that libraries take as options:
// the unit in words, the least value and the largest one.

import type { Heartbeat } from "../protocol/heartbeat.ts";
import { checkWhole } from "./invalid-option.ts";

export type Range = readonly [what: string, least: number, most: number];

export const HEARTBEAT_INTERVAL_MS: Range = ["a number of ms", 10, 3_600_000];
export const HEARTBEAT_LIVENESS: Range = ["a number of intervals", 2, 100];
export const MESSAGE_BYTES: Range = ["a number of bytes", 1024, 2 ** 31 - 1];
/** A broker without any work takes about 100 MiB. */
export const MEMORY_BYTES: Range = ["a number of bytes", 2 ** 27, 2 ** 48];
export const TIME_LIMIT_MS: Range = ["a number of ms", 1, 86_400_000];
export const PORT: Range = ["a port", 1, 65_535];

/** Throws a RangeError that names the first invalid value. */
export function checkHeartbeat({ intervalMs, liveness }: Heartbeat) {
  checkWhole("heartbeat.intervalMs", intervalMs, HEARTBEAT_INTERVAL_MS);
  checkWhole("heartbeat.liveness", liveness, HEARTBEAT_LIVENESS);
}
