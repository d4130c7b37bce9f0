// The extensions that this broker has. A peer probes for them with mmi.service of 8/MMI.

import type { Capability } from "../protocol/capabilities.ts";

/** The capabilities of this broker: one belongs here once the broker does all of it. */
const OWN: Capability[] = [
  "mmi.call",
  "mmi.call.headers",
  "mmi.call.linger",
  "mmi.call.progress",
  "mmi.call.wait",
  "mmi.cancel",
  "mmi.events",
  "mmi.ready",
];

const names = new Set<string>(OWN);

/** Whether this name, one character per byte, is a capability of this broker. */
export const isCapability = (name: string) => names.has(name);
