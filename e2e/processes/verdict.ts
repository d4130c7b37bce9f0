// The broker's status for a call, also on a busy machine.

import { TimedOut } from "../../clients/client.ts";
import { waitLimitMs } from "../until.ts";

/**
 * The outcome of `ask`, without TimedOut. For STATUS_GRACE_MS after its deadline, a call accepts the
 * status of the broker. A busy machine may delay the status for longer, so this calls `ask` again.
 */
export async function verdict<T>(ask: () => Promise<T>): Promise<T> {
  for (const deadline = performance.now() + waitLimitMs(); ; ) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof TimedOut) || performance.now() >= deadline) throw error;
    }
  }
}
