import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { evaluate } from "./evaluate.ts";

function resultOf(expression: string): string {
  const outcome = evaluate(expression);
  return "value" in outcome ? outcome.value : `FAULT ${outcome.fault}`;
}

function faultOf(expression: string): string {
  const outcome = evaluate(expression);
  return "fault" in outcome ? outcome.fault : `VALUE ${outcome.value}`;
}

test("arithmetic: a number", () => {
  assert.equal(resultOf("2 + 2"), "4");
  assert.equal(resultOf("2 + 3 * 4 ^ 2"), "50");
  assert.equal(resultOf("sqrt(3 ^ 2 + 4 ^ 2)"), "5");
  assert.equal(resultOf("5! / 10%"), "1200");
  assert.equal(resultOf("max(1, 2, 3) + combinations(5, 2)"), "13");
  assert.equal(resultOf("2 pi"), String(2 * Math.PI));
});

test("number printed: as JavaScript prints it, in full", () => {
  assert.equal(resultOf("0.1 + 0.2"), "0.30000000000000004");
  assert.equal(resultOf("2 ^ 80"), "1.2089258196146292e+24");
});

test("comparison: a boolean", () => {
  assert.equal(resultOf("1 < 2 < 3"), "true");
  assert.equal(resultOf("not true"), "false");
});

test("division by zero or overflow: Infinity", () => {
  assert.equal(resultOf("1 / 0"), "Infinity");
  assert.equal(resultOf("-1 / 0"), "-Infinity");
  assert.equal(resultOf("9 ^ 9 ^ 9"), "Infinity");
  assert.equal(resultOf("factorial(1000000)"), "Infinity");
});

test("several statements: the value of the last one", () => {
  assert.equal(resultOf("f(x) = x ^ 2; f(3)"), "9");
  assert.equal(resultOf("r = 2\nh = 3\npi r^2 h"), String(Math.PI * 12));
  assert.equal(resultOf("fib(n) = n < 2 ? n : fib(n - 1) + fib(n - 2); fib(15)"), "610");
  assert.equal(resultOf("twice(f, x) = f(f(x)); twice(sqrt, 16);"), "2");
});

test("expression defines a name: gone in the next expression", () => {
  assert.equal(resultOf("x = 1; pi = 3; sin(n) = n; pi + sin(x)"), "4");
  assert.equal(faultOf("x"), "x: undefined symbol x at character 1");
  assert.equal(resultOf("pi + sin(0)"), String(Math.PI));
});

test("fault: named with its position", () => {
  assert.equal(faultOf("2 + * 3"), "2 + * 3: value expected at character 5");
  assert.equal(faultOf("2 +"), "2 +: unexpected end of expression at character 4");
  assert.equal(faultOf("(1"), "(1: parenthesis ) expected at character 3");
  assert.equal(faultOf("1 2"), '1 2: unexpected part "2" at character 3');
  assert.equal(faultOf("xy = 1; xy + x"), "xy = 1; xy + x: undefined symbol x at character 14");
  assert.equal(faultOf("1 + foo(2)"), "1 + foo(2): no such function: foo at character 5");
  assert.equal(faultOf("2 .* 3"), "2 .* 3: no such operator: .* at character 3");
});

test("fault in a long expression: shown with 60 characters around it", () => {
  const fault = faultOf(`${"1 + ".repeat(200)}* 3${" + 1".repeat(40)}`);
  assert.match(fault, /^…[1 +]{29}\* 3[1 +]+…: value expected at character 801$/);
  const short = `${"1 + ".repeat(12)}* 3`;
  assert.equal(faultOf(short), `${short}: value expected at character 49`);
});

test("fault with control characters: printed on one line without them", () => {
  assert.equal(faultOf("1 +\n\u0007"), '1 + : syntax error in part " " at character 5');
  assert.equal(faultOf("\0"), ' : syntax error in part " " at character 1');
  assert.equal(faultOf("x = 3; x(2)"), "x = 3; x(2): 'x' is not a function; its value is: 3");
});

test("wrong arguments: the fault names the function", () => {
  assert.match(faultOf("sqrt(1, 2)"), /: too many arguments in function sqrt \(expected: 1, /);
  assert.match(faultOf("sqrt(sin)"), /: unexpected type of argument in function sqrt /);
  assert.match(faultOf("gcd(1.5, 2)"), /: parameters in function gcd must be integer numbers$/);
});

test("result neither number nor boolean: a fault", () => {
  assert.equal(faultOf(""), "the expression is empty");
  assert.equal(faultOf(" \n"), "the expression is empty");
  assert.equal(faultOf("# nothing"), "# nothing: there is no value");
  assert.equal(faultOf("null"), "null: there is no value");
  assert.equal(faultOf("0 / 0"), "0 / 0: the result is not a number");
  assert.equal(faultOf("sqrt(-1)"), "sqrt(-1): the result is not a number");
  assert.equal(faultOf("f(x) = x"), "f(x) = x: the result is a function, not a number");
});

test("strings, collections or properties: a fault before evaluation", () => {
  assert.equal(faultOf('1 + "a"'), '1 + "a": strings are not supported at character 5');
  assert.equal(faultOf("[1, 2]"), "[1, 2]: arrays are not supported at character 1");
  assert.equal(faultOf("sum(1:1e9)"), "sum(1:1e9): ranges are not supported at character 6");
  assert.equal(faultOf("{a: 1}"), "{a: 1}: objects are not supported at character 1");
  assert.equal(faultOf("pi.x"), "pi.x: properties are not supported at character 3");
  assert.equal(faultOf("pi[1] = 2"), "pi[1] = 2: properties are not supported at character 3");
});

test("names outside the allow-list: a fault", () => {
  const hostile = [
    'cos.constructor("return process")()',
    "cos.constructor(1)",
    "cos.sin(1)",
    '"a".constructor',
    '"a" * 1000',
    "import({pi: 3}, {override: true})",
    'evaluate("1")',
    'parse("1")',
    'compile("1")',
    'simplify("1 + 1")',
    'derivative("x", "x")',
    'createUnit("a")',
    "config(1)",
    "parser()",
    "typed(1)",
    "reviver(1, 2)",
    "random()",
    "version",
    "range(1, 1e9)",
    "matrix(1)",
    "expression",
    "constructor",
    "toString",
    "hasOwnProperty(1)",
    "__proto__",
    "__proto__ = 1",
    "f(__proto__) = 1; f(sin)",
  ];
  for (const expression of hostile) assert.match(faultOf(expression), /: /, expression);
});

test("nesting or recursion too deep: a fault", () => {
  const sentence = /: nested or recursing too deeply$/;
  assert.match(faultOf("(".repeat(1000)), sentence);
  assert.match(faultOf(`${"(".repeat(490)}1${")".repeat(490)}`), sentence);
  assert.match(faultOf("f(n) = f(n - 1); f(1)"), sentence);
  assert.equal(resultOf("2 + 2"), "4");
});

test("random text: a number, a boolean or a fault of one line", () => {
  const words = "1 2.5 1e9 + - * / ^ ! % ( ) , ; ? : < == = and not x f f(x) sin pi true".split(
    " ",
  );
  const signs = [..." \n\0'\"[]{}.@#$_é\u{1f600}\ud800"];
  const text = fc.array(fc.constantFrom(...words, ...signs), { maxLength: 40 });
  fc.assert(
    fc.property(text, (parts) => {
      const outcome = evaluate(parts.join(""));
      if ("fault" in outcome) assert.match(outcome.fault, /^[^\p{C}\n]+$/u);
      else assert.match(outcome.value, /^(true|false|-?(Infinity|[0-9.]+(e[+-][0-9]+)?))$/);
    }),
    { numRuns: 2000 },
  );
});
