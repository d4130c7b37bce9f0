import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { batchPairs, decodePairs, encodePairs, type Pair } from "./pairs.ts";

const frames = (...values: (string | Buffer)[]) =>
  values.map((value) => Buffer.from(value as string));
const address = (nth: number) => Buffer.from(`thislife${String(nth).padStart(8, "\0")}`);

const EVERY_NAME: Pair[] = [
  { name: "incarnation", incarnation: Buffer.from("thislife") },
  { name: "cancel", addresses: [address(1), address(2)] },
  { name: "progress", address: address(3), value: Buffer.from("half") },
  { name: "progress", address: address(3), value: Buffer.from("") },
  { name: "pause", addresses: [address(4)] },
  { name: "resume", addresses: [address(4)] },
  { name: "limit", limit: 0 },
  { name: "waiting", addresses: [] },
  { name: "recall", addresses: [address(5)] },
  { name: "returned", addresses: [address(5)] },
];

test("every name: encoded to a name and a value, decoded to the same", () => {
  const wire = encodePairs(EVERY_NAME);
  assert.deepEqual(wire.slice(0, 4), frames("incarnation", "thislife", "cancel", twoAddresses));
  assert.deepEqual(
    wire.slice(4, 6),
    frames("progress", Buffer.concat([address(3), Buffer.from("half")])),
  );
  assert.deepEqual(wire.slice(12, 16), frames("limit", "0", "waiting", ""));
  assert.deepEqual(decodePairs(wire), EVERY_NAME);
});

const twoAddresses = Buffer.concat([address(1), address(2)]);

test("unknown names: ignored", () => {
  const wire = frames("colour", "red", "limit", "7", "Limit", "x", "", "", "__proto__", "x");
  assert.deepEqual(decodePairs(wire), [{ name: "limit", limit: 7 }]);
  assert.deepEqual(decodePairs([]), []);
});

for (const [title, wire, reason] of [
  ["odd number of frames", frames("limit", "7", "limit"), "a name without a value"],
  ["65 pairs", Array(65).fill(frames("a", "b")).flat(), "more than 64 pairs"],
  ["65,537 bytes", frames("a", Buffer.alloc(65_535), "b", ""), "pairs of more than 65536 bytes"],
  ["limit 65536", frames("limit", "65536"), "a malformed value of limit"],
  ["limit 07", frames("limit", "07"), "a malformed value of limit"],
  ["limit without digits", frames("limit", ""), "a malformed value of limit"],
  ["address of 15 bytes", frames("cancel", Buffer.alloc(15)), "a malformed value of cancel"],
  ["addresses of 33 bytes", frames("returned", Buffer.alloc(33)), "a malformed value of returned"],
  [
    "incarnation of 9 bytes",
    frames("incarnation", "thislife!"),
    "a malformed value of incarnation",
  ],
  ["progress of 15 bytes", frames("progress", Buffer.alloc(15)), "a malformed value of progress"],
  [
    "progress of 4,097 bytes",
    frames("progress", Buffer.alloc(4097)),
    "a malformed value of progress",
  ],
] as [string, Buffer[], string][]) {
  test(`${title}: invalid, ${reason}`, () => {
    assert.deepEqual(decodePairs(wire), { reason });
  });
}

test("64 pairs, 65,536 bytes and progress of 4,096 bytes: accepted", () => {
  assert.deepEqual(decodePairs(Array(64).fill(frames("a", "b")).flat()), []);
  assert.deepEqual(decodePairs(frames("a", Buffer.alloc(65_534), "b", "")), []);
  const progress = decodePairs(frames("progress", Buffer.alloc(4096)));
  assert.deepEqual(progress, [
    { name: "progress", address: Buffer.alloc(16), value: Buffer.alloc(4080) },
  ]);
});

test("pairs beyond a bound: encoding them throws a RangeError", () => {
  const wrong: Pair[] = [
    { name: "limit", limit: 65_536 },
    { name: "limit", limit: -1 },
    { name: "incarnation", incarnation: Buffer.alloc(7) },
    { name: "cancel", addresses: [Buffer.alloc(15)] },
    { name: "cancel", addresses: Array(4096).fill(address(1)) },
    { name: "progress", address: address(1), value: Buffer.alloc(4081) },
  ];
  for (const pair of wrong) assert.throws(() => encodePairs([pair]), RangeError);
});

const anyPair: fc.Arbitrary<Pair> = fc.oneof(
  fc.constantFrom(...EVERY_NAME),
  fc.nat(65_535).map((limit): Pair => ({ name: "limit", limit })),
  fc.nat(4080).map((size): Pair => {
    return { name: "progress", address: address(1), value: Buffer.alloc(size) };
  }),
  fc.constantFrom(1, 1023, 1024, 1025, 3000).map((length): Pair => {
    return { name: "waiting", addresses: Array(length).fill(address(length)) };
  }),
);

test("any pairs: as few batches as the bounds allow, with the same pairs in the same order", () => {
  fc.assert(
    fc.property(fc.array(anyPair, { maxLength: 150, size: "max" }), (pairs) => {
      const batches = batchPairs(pairs);
      for (const [nth, batch] of batches.entries()) {
        assert.ok(batch.length > 0);
        assert.doesNotThrow(() => encodePairs(batch));
        const [next] = batches[nth + 1] ?? [];
        if (next) assert.throws(() => encodePairs([...batch, next]), RangeError);
      }
      assert.equal(merged(batches.flat()), merged(pairs));
    }),
    { numRuns: 30 },
  );
  assert.deepEqual(batchPairs([]), []);
});

/** As text, with the addresses of neighbours of one name in one list. */
function merged(pairs: Pair[]): string {
  const lines: string[] = [];
  let last = "";
  for (const pair of pairs) {
    if (!("addresses" in pair)) lines.push(JSON.stringify(pair));
    else if (pair.name === last) lines.push(...pair.addresses.map(String));
    else lines.push(pair.name, ...pair.addresses.map(String));
    last = pair.name;
  }
  return lines.join("\n");
}

test("any frames: pairs that encode and decode to the same, or a reason", () => {
  const names = EVERY_NAME.map(({ name }) => name);
  const value = fc.oneof(
    fc.constantFrom("0", "7", "thislife", "x".repeat(16), "x".repeat(32)),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  );
  const pair = fc.tuple(fc.oneof(fc.constantFrom(...names), value), value);
  const odd = fc.oneof(fc.constant([]), fc.constant(["limit"]));
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 70 }), odd, (pairs, more) => {
      const decoded = decodePairs(frames(...pairs.flat(), ...more));
      if ("reason" in decoded) return decoded.reason.length > 0;
      assert.deepEqual(decodePairs(encodePairs(decoded)), decoded);
    }),
    { numRuns: 2000 },
  );
});
