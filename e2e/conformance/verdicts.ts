// A reporter of node:test for `make conformance`: after all tests, the verdict per requirement.

import type { TestEvent } from "node:test/reporters";
import { type CaseId, DEVIATIONS, EXTENSIONS, idOf, REQUIREMENTS } from "./requirements.ts";

type Tests = { passed: number; failed: number };

export default async function* verdicts(events: AsyncIterable<TestEvent>) {
  const tests = new Map<CaseId, Tests>();
  for await (const { type, data } of events) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    const id = idOf(data.name);
    if (!id || data.skip) continue;
    const { passed, failed } = tests.get(id) ?? { passed: 0, failed: 0 };
    if (type === "test:pass") tests.set(id, { passed: passed + 1, failed });
    else tests.set(id, { passed, failed: failed + 1 });
  }
  yield report(tests);
}

function report(tests: Map<CaseId, Tests>): string {
  const failed = [...tests].filter(([, { failed }]) => failed > 0);
  const met = REQUIREMENTS.filter(({ id }) => !DEVIATIONS[id] && tests.get(id)?.failed === 0);
  const notMet = failed.filter(([id]) => isRequired(id));
  const untested = REQUIREMENTS.filter(({ id }) => !tests.has(id)).map(({ id }) => id);
  const lines = [
    `${met.length} requirements met, ${notMet.length} not met; docs/CONFORMANCE.md lists all by id`,
    ...failed.map(([id, { passed, failed }]) => {
      // Another broker may well meet a requirement that ours does not.
      const verdict = isRequired(id) ? "not met" : "differs from our broker";
      return `${verdict}: ${id} ${textOf(id)} (${failed} of ${passed + failed} tests failed)`;
    }),
    ...(untested.length > 0 ? [`not tested: ${untested.join(", ")}`] : []),
  ];
  return `\n${lines.join("\n")}\n`;
}

function isRequired(id: CaseId): boolean {
  return !(id in DEVIATIONS || id in EXTENSIONS);
}

function textOf(id: CaseId): string {
  return REQUIREMENTS.find((requirement) => requirement.id === id)?.text ?? "";
}
