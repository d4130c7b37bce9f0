import { Calculator, THREADS } from "./math/calculator.ts";
import { serve } from "./worker.ts";

const calculator = new Calculator();
await calculator.ready();
// One request a thread: any more would wait here while another worker may have nothing to do.
await serve("math", (body) => calculator.answer(body), { concurrency: THREADS });
await calculator.close();
