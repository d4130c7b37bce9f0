// A histogram in the format of Prometheus.

import { BOUNDS_MS, type Distribution } from "../collections/distribution.ts";
import type { Sample } from "./metrics.ts";

/**
 * The samples of a distribution, in seconds. Each bucket includes the lower ones, as in the format of
 * Prometheus.
 */
export function bucketsOf({ counts, sumMs }: Distribution, service: string): Sample[] {
  let count = 0;
  const buckets = counts.map((more, nth): Sample => {
    count += more;
    const bound = BOUNDS_MS[nth];
    const le = bound === undefined ? "+Inf" : String(bound / 1000);
    return { suffix: "_bucket", labels: { service, le }, value: count };
  });
  return [
    ...buckets,
    { suffix: "_sum", labels: { service }, value: sumMs / 1000 },
    { suffix: "_count", labels: { service }, value: count },
  ];
}
