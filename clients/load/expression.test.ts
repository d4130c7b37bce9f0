import assert from "node:assert/strict";
import { test } from "node:test";
import { randomExpression } from "./expression.ts";

test("an expression has the value that JavaScript gives it, exactly", () => {
  for (let made = 0; made < 2000; made++) {
    const { text, value } = randomExpression(Math.random);
    assert.match(text, /^[0-9+\-* ()]+$/);
    assert.equal(value, new Function(`return ${text}`)(), text);
    assert.ok(Number.isSafeInteger(value), text);
  }
});

test("the largest value is one that a double holds exactly", () => {
  const { value } = randomExpression(() => 0.999);
  assert.ok(Number.isSafeInteger(value) && value > 2 ** 52);
});

test("each operation and parentheses are used", () => {
  const texts = Array.from({ length: 200 }, () => randomExpression(Math.random).text).join();
  for (const sign of ["+", "-", "*", "("]) assert.ok(texts.includes(sign), sign);
});
