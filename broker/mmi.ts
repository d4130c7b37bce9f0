// The Majordomo Management Interface (8/MMI): the services that the broker itself provides.

import type { Frame } from "../protocol/frame.ts";

/** Clients may ask these; workers may not register there. The name is a character a byte. */
export const isManagement = (service: string) => service.startsWith("mmi.");

/**
 * The reply's body to a management request:
 * `mmi.service` `[name]` → `[200]` with workers, `[404]` without; any other → `[501]`.
 */
export function manage(service: string, body: Frame[], workers: (name: string) => number): Frame[] {
  if (service !== "mmi.service") return [Buffer.from("501")];
  const name = body[0]?.toString("latin1") ?? "";
  return [Buffer.from(workers(name) > 0 ? "200" : "404")];
}
