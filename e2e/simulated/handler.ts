// The steps of a simulated worker's handler, for every kind of worker.

import { encodeErrorReply } from "../../protocol/error-reply.ts";
import type { Frame } from "../../protocol/frame.ts";
import { partOf } from "./reading.ts";
import type { Order } from "./task.ts";

export type Step = { afterMs: number } & (
  | { does: "part"; body: Frame[] }
  | { does: "reply"; body: Frame[] }
  | { does: "die" }
);

/** Once all faults are healed, handlers behave too. `hangMs` is the duration of a hang. */
export function stepsOf(order: Order, execution: string, healed: boolean, hangMs: number): Step[] {
  const { name, how, parts } = order;
  const afterMs = typeof how === "number" ? how / parts : 1;
  const part = (nth: number) => partOf(order, execution, nth);
  const before = Array.from({ length: parts - 1 }, (_, at): Step => {
    return { afterMs, does: "part", body: part(at + 1) };
  });
  const reply: Step = { afterMs, does: "reply", body: part(parts) };
  if (healed) return [...before, reply];
  switch (how) {
    case "poison":
      return [...before, { afterMs, does: "die" }];
    case "failure":
      return [...before, { afterMs, does: "reply", body: encodeErrorReply(400, name) }];
    case "late":
      return [...before, reply].with(0, { ...(before[0] ?? reply), afterMs: 0.75 * hangMs });
    case "hang":
    case "swallow":
      return [...before, { ...reply, afterMs: hangMs }];
    default:
      return [...before, reply];
  }
}
