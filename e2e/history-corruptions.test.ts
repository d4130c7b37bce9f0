// Proof that the checker can fail: each corruption of a correct history is found, in each mode in which
// a suite uses the checker. The table is generated: each kind of event is dropped, doubled, moved,
// swapped and relabelled.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Expectations, type HistoryEvent, judge } from "./history.ts";

/** The expectations of the suites, and the corruptions that a history of theirs cannot show. */
const MODES: Record<string, { expectations: Expectations; hidden: string[] }> = {
  // A request may have as many executions as deliveries.
  simulation: { expectations: { allFinished: true, executionsMax: 3 }, hidden: ["began doubled"] },
  // Its workers log no end of an execution, so their history has none.
  versions: {
    expectations: { allBegan: true, executionsMax: 1 },
    hidden: ["finished dropped"],
  },
  chaos: {
    expectations: { allFinished: true, extraExecutionsMax: 0 },
    hidden: [],
  },
  // Requests to db have no execution in their history, and any request may have several.
  containers: {
    expectations: {},
    hidden: ["began doubled", "began with another request", "finished dropped"],
  },
};

type Kind = HistoryEvent["event"];
const KINDS: Kind[] = ["asked", "began", "finished", "ended"];

const REQUESTS = 4;

/** A correct history: four requests of two clients, answered by two workers, and one that is open. */
function correct(): HistoryEvent[] {
  const requests = Array.from({ length: REQUESTS }, (_, nth): HistoryEvent[] => {
    const [request, id] = [`request ${nth}`, `id ${nth}`];
    const [client, worker] = [`client ${nth % 2}`, `worker ${nth % 2}`];
    const at = 1000 * nth;
    return [
      { event: "asked", request, client, at },
      { event: "began", worker, id, request, at: at + 100 },
      { event: "finished", worker, id, at: at + 200 },
      { event: "ended", request, client, outcome: { answers: request }, at: at + 300 },
    ];
  });
  return requests.flat();
}

type Corruption = { title: string; apply: (history: HistoryEvent[]) => HistoryEvent[] };

/** The place of the second event of this kind: other events of its recorder are on both sides. */
const placeOf = (history: HistoryEvent[], kind: Kind, nth = 2) =>
  history.flatMap(({ event }, place) => (event === kind ? [place] : []))[nth] ?? assert.fail();

const replaced = (history: HistoryEvent[], place: number, ...events: HistoryEvent[]) =>
  history.toSpliced(place, 1, ...events);

/** The events that stand for the labels of this kind, each with another value. */
function relabelled(event: HistoryEvent): [string, HistoryEvent][] {
  switch (event.event) {
    case "asked":
      return [
        ["request", { ...event, request: "request 0" }],
        ["client", { ...event, client: "client 1" }],
        ["at", { ...event, at: 10_000 }],
      ];
    case "began":
      return [
        ["request", { ...event, request: "request 1" }],
        ["worker", { ...event, worker: "worker 1" }],
        ["id", { ...event, id: "id 1" }],
        ["at", { ...event, at: 10_000 }],
      ];
    case "finished":
      return [
        ["worker", { ...event, worker: "worker 1" }],
        ["id", { ...event, id: "id 1" }],
        ["at", { ...event, at: 10_000 }],
      ];
    case "ended":
      return [
        ["request", { ...event, request: "request 1" }],
        ["client", { ...event, client: "client 1" }],
        ["answers", { ...event, outcome: { answers: "request 1" } }],
        ["at", { ...event, at: 1000 }],
      ];
    default:
      return assert.fail();
  }
}

const CORRUPTIONS: Corruption[] = KINDS.flatMap((kind) => [
  {
    title: `${kind} dropped`,
    apply: (history) => replaced(history, placeOf(history, kind)),
  },
  {
    title: `${kind} doubled`,
    apply(history) {
      const place = placeOf(history, kind);
      const event = history[place] ?? assert.fail();
      return replaced(history, place, event, event);
    },
  },
  {
    title: `${kind} moved to the beginning`,
    apply(history) {
      const place = placeOf(history, kind);
      return [history[place] ?? assert.fail(), ...history.toSpliced(place, 1)];
    },
  },
  {
    title: `${kind} moved to the end`,
    apply(history) {
      const place = placeOf(history, kind, 0);
      return [...history.toSpliced(place, 1), history[place] ?? assert.fail()];
    },
  },
  {
    title: `${kind} swapped with that of another request`,
    apply(history) {
      const [one, other] = [placeOf(history, kind, 0), placeOf(history, kind, 2)];
      const events = [history[one] ?? assert.fail(), history[other] ?? assert.fail()] as const;
      return replaced(replaced(history, one, events[1]), other, events[0]);
    },
  },
  ...relabelled(correct().find(({ event }) => event === kind) ?? assert.fail()).map(
    ([label]): Corruption => ({
      title: `${kind} with another ${label}`,
      apply(history) {
        const place = placeOf(history, kind);
        const found = relabelled(history[place] ?? assert.fail());
        return replaced(
          history,
          place,
          found.find(([name]) => name === label)?.[1] ?? assert.fail(),
        );
      },
    }),
  ),
]);

for (const [mode, { expectations, hidden }] of Object.entries(MODES)) {
  test(`${mode}: no violation in a correct history`, () => {
    assert.deepEqual(judge(correct(), expectations).violations, []);
  });

  for (const { title, apply } of CORRUPTIONS.filter(({ title }) => !hidden.includes(title))) {
    test(`${mode}: ${title}: found`, () => {
      const { violations } = judge(apply(correct()), expectations);
      assert.notDeepEqual(violations, []);
    });
  }
}

test("history in which each outcome is unknown: a violation", () => {
  const history = correct().map(
    (event): HistoryEvent =>
      event.event === "ended" ? { ...event, outcome: { unknown: "timed out" } } : event,
  );
  assert.deepEqual(judge(history).violations, ["no request has an outcome that is known"]);
});

test("more executions than the faults explain: a violation", () => {
  const history = correct();
  const place = placeOf(history, "ended");
  const again: HistoryEvent[] = [
    { event: "began", worker: "worker 1", id: "id 2", request: "request 2", at: 2250 },
    { event: "finished", worker: "worker 1", id: "id 2", at: 2260 },
  ];
  const more = history.toSpliced(place, 0, ...again);
  assert.deepEqual(judge(more, { allFinished: true, extraExecutionsMax: 1 }).violations, []);
  assert.deepEqual(judge(more, { allFinished: true, extraExecutionsMax: 0 }).violations, [
    "1 executions again, and the faults explain 0",
  ]);
});
