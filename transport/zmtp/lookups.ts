// The addresses of host names. The system's lookup cannot be cancelled, and takes one of the few threads
// of the process. So each name has one lookup at a time, and its result serves all that wait for it.

import dns, { type LookupAddress } from "node:dns";
import { timedOut } from "./timed-out.ts";

const lookups = new Map<string, Promise<LookupAddress[]>>();

/**
 * Resolves to the addresses of a host, in the order in which to try them: the families take turns
 * (8305/RFC, 4). Rejects after LOOKUP_MS with ETIMEDOUT; the lookup goes on, and serves the next call.
 */
export async function addressesOf(host: string): Promise<LookupAddress[]> {
  const tooLong = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => tooLong.reject(timedOut(`no address of ${host} within ${LOOKUP_MS} ms`)),
    LOOKUP_MS,
  );
  try {
    return await Promise.race([running(host), tooLong.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function running(host: string): Promise<LookupAddress[]> {
  const known = lookups.get(host);
  if (known) return known;
  const { promise, resolve, reject } = Promise.withResolvers<LookupAddress[]>();
  lookups.set(host, promise);
  dns.lookup(host, { all: true }, (error, addresses) => {
    if (error) {
      lookups.delete(host);
      reject(error);
    } else {
      setTimeout(() => lookups.delete(host), KEPT_MS).unref();
      resolve(inTurns(addresses));
    }
  });
  promise.catch(() => {}); // All that waited may have given up.
  return promise;
}

/** The first address stays the first one. */
function inTurns(addresses: LookupAddress[]): LookupAddress[] {
  const first = addresses.filter(({ family }) => family === addresses[0]?.family);
  const second = addresses.filter(({ family }) => family !== addresses[0]?.family);
  const turns = Math.max(first.length, second.length);
  return Array.from({ length: turns }, (_, nth) => [first[nth], second[nth]])
    .flat()
    .filter((address) => address !== undefined);
}

/** The longest wait for a lookup, in ms. */
const LOOKUP_MS = 1000;

/** A result that came too late for one attempt to connect serves the next one, which follows sooner. */
const KEPT_MS = 1000;
