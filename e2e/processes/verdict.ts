// The broker's verdict on a call, also on a busy machine.

import { TimedOut } from "../../clients/client.ts";
import { waitLimitMs } from "../until.ts";

/**
 * The outcome of `ask`, without TimedOut. For 250 ms after its deadline, a call still accepts the
 * verdict of the broker. A busy machine may delay the verdict for longer, so this asks again.
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
