import assert from "node:assert/strict";
import { test } from "node:test";
import { randomExpression } from "./expression.ts";

test("any expression: its value is exactly that of JavaScript", () => {
  for (let made = 0; made < 2000; made++) {
    const { text, value } = randomExpression(Math.random);
    assert.match(text, /^[0-9+\-* ()]+$/);
    assert.equal(value, new Function(`return ${text}`)(), text);
    assert.ok(Number.isSafeInteger(value), text);
  }
});

test("largest expression: a double holds its value exactly", () => {
  const { value } = randomExpression(() => 0.999);
  assert.ok(Number.isSafeInteger(value) && value > 2 ** 52);
});

test("200 expressions: all operations and parentheses occur", () => {
  const texts = Array.from({ length: 200 }, () => randomExpression(Math.random).text).join();
  for (const sign of ["+", "-", "*", "("]) assert.ok(texts.includes(sign), sign);
});
