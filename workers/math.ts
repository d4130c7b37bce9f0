// The math worker: evaluates expressions.

import { Calculator, THREADS } from "./math/calculator.ts";
import { serve } from "./worker.ts";

const calculator = new Calculator();
// One request per thread: a further one would wait here while another worker may be idle.
await serve("math", (body, { signal }) => calculator.answer(body, signal), {
  concurrency: THREADS,
  prepare: () => calculator.ready(),
});
await calculator.close();
