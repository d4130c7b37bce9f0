// Evaluates an expression over numbers and booleans in the language of mathjs.
//
// mathjs can do much more than arithmetic. So this file evaluates an expression only if each name
// in it is in the allow-list at the end of this file or defined by the expression. This file runs
// in the threads of calculator.ts, which limits time and memory.

import * as mathjs from "mathjs/number";

export type Task = {
  expression: string;
  /** One element of shared memory: 1 once a thread has begun. */
  begun: Int32Array;
};

/** The value of an expression, or a sentence that names its fault and the position. */
export type Evaluation = { value: string } | { fault: string };

/** The entry point of a thread. */
export function work({ expression, begun }: Task): Evaluation {
  Atomics.store(begun, 0, 1);
  return evaluate(expression);
}

/** Evaluates an expression. Never throws. */
export function evaluate(expression: string): Evaluation {
  try {
    if (expression.trim() === "") return { fault: "the expression is empty" };
    const statements = parse(expression);
    // New for each expression, so that no request sees the names of another.
    const scope = new Map();
    const values = statements.map((statement) => statement.evaluate(scope));
    return { value: print(values.at(-1)) };
  } catch (error) {
    // Each error of mathjs is a fault of the expression; so is a stack overflow.
    return { fault: describe(expression, error as Fault) };
  }
}

type Fault = Error & { char: number | undefined }; // Counted from 1, as in the syntax errors of mathjs.

function parse(expression: string): mathjs.MathNode[] {
  const tree = math.parse(expression) as AnyNode;
  const nodes = tree.filter(() => true) as AnyNode[];
  const defined = new Set(nodes.flatMap(definedBy));
  for (const node of nodes) check(node, defined, expression);
  return tree.type === "BlockNode" ? tree.blocks.map((block) => block.node) : [tree];
}

type AnyNode =
  | mathjs.AssignmentNode
  | mathjs.BlockNode
  | mathjs.ConditionalNode
  | mathjs.ConstantNode
  | mathjs.FunctionAssignmentNode
  | mathjs.FunctionNode
  | mathjs.OperatorNode<mathjs.OperatorNodeOp, mathjs.OperatorNodeFn>
  | mathjs.ParenthesisNode
  | mathjs.RelationalNode
  | mathjs.SymbolNode
  | Foreign;

type Foreign = mathjs.MathNode & {
  type: "AccessorNode" | "ArrayNode" | "IndexNode" | "ObjectNode" | "RangeNode";
};

function definedBy(node: AnyNode): string[] {
  if (node.type === "AssignmentNode") return node.index ? [] : [node.name];
  return node.type === "FunctionAssignmentNode" ? [node.name, ...node.params] : [];
}

function check(node: AnyNode, defined: Set<string>, expression: string) {
  const known = (name: string) => NAMES.has(name) || defined.has(name);
  switch (node.type) {
    case "ConstantNode":
      return checkConstant(node.value, expression);
    case "FunctionNode":
      if (known(node.fn.name)) return;
      throw fault(`no such function: ${node.fn.name}`, wordAt(expression, node.fn.name));
    case "SymbolNode":
      if (known(node.name)) return;
      throw fault(`undefined symbol ${node.name}`, wordAt(expression, node.name));
    case "OperatorNode":
      if (NAMES.has(node.fn)) return;
      throw fault(`no such operator: ${node.op}`, expression.indexOf(node.op) + 1);
    case "AssignmentNode":
    case "FunctionAssignmentNode":
      // Other names, such as __proto__, have a meaning in JavaScript.
      for (const name of definedBy(node)) {
        if (!/^\p{L}/u.test(name)) throw fault(`a definition cannot have the name ${name}`);
      }
      return;
    case "BlockNode":
    case "ConditionalNode":
    case "ParenthesisNode":
    case "RelationalNode":
      return;
    default: {
      const [feature, sign] = FOREIGN[node.type];
      throw fault(`${feature} are not supported`, expression.search(sign) + 1);
    }
  }
}

function checkConstant(value: unknown, expression: string) {
  if (typeof value === "number" || typeof value === "boolean") return;
  if (typeof value !== "string") throw fault("there is no value");
  throw fault("strings are not supported", expression.search(/["']/) + 1);
}

/** The position of a name, counted from 1. */
function wordAt(expression: string, word: string): number {
  const words = [...expression.matchAll(/[\p{L}_$][\p{L}\p{N}_$]*/gu)];
  return (words.find(([text]) => text === word)?.index ?? -1) + 1;
}

function print(value: unknown): string {
  if (Number.isNaN(value)) throw fault("the result is not a number");
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw fault(`the result is a ${typeof value}, not a number`);
}

const fault = (sentence: string, char?: number): Fault =>
  Object.assign(new Error(sentence), { char });

function describe(expression: string, { message, char = 0 }: Fault): string {
  const sentence = message
    .replace("Maximum call stack size exceeded", "nested or recursing too deeply")
    .replace(/ \(char \d+\)$/, "")
    .replace(/(function \w+)Number\b/, "$1") // mathjs adds this suffix to its number variants.
    .replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());
  const place = char > 0 ? ` at character ${char}` : "";
  // One line without control characters, so that a terminal can show it.
  return `${excerpt(expression, char)}: ${sentence}${place}`.replace(/[\s\p{C}]+/gu, " ");
}

/** The part of the expression around a position. */
function excerpt(expression: string, char: number): string {
  const last = Math.max(0, expression.length - EXCERPT_CHARACTERS);
  const from = Math.min(Math.max(0, char - EXCERPT_CHARACTERS / 2), last);
  const to = from + EXCERPT_CHARACTERS;
  const part = expression.slice(from, to);
  return `${from > 0 ? "…" : ""}${part}${to < expression.length ? "…" : ""}`;
}

const EXCERPT_CHARACTERS = 60;

const FOREIGN: Record<Foreign["type"], [feature: string, sign: RegExp]> = {
  AccessorNode: ["properties", /\.\s*[\p{L}_$]|\[/u],
  ArrayNode: ["arrays", /\[/],
  IndexNode: ["properties", /\.\s*[\p{L}_$]|\[/u],
  ObjectNode: ["objects", /\{/],
  RangeNode: ["ranges", /:/],
};

// Each of these takes and returns numbers and booleans, and keeps no state.
// biome-ignore format: a list, to be read by its lines.
const NAMES: ReadonlySet<string> = new Set([
  "e", "phi", "pi", "tau",
  "add", "subtract", "multiply", "divide", "mod", "pow", "unaryMinus", "unaryPlus",
  "equal", "unequal", "larger", "largerEq", "smaller", "smallerEq", "and", "not", "or", "xor",
  "bitAnd", "bitNot", "bitOr", "bitXor", "leftShift", "rightArithShift", "rightLogShift",
  "abs", "ceil", "fix", "floor", "round", "sign", "gcd", "lcm", "hypot", "isInteger", "isPrime",
  "sqrt", "cbrt", "nthRoot", "square", "cube", "exp", "expm1", "log", "log10", "log1p", "log2",
  "max", "mean", "median", "min", "prod", "std", "sum", "variance",
  "combinations", "erf", "factorial", "gamma", "lgamma", "permutations",
  "acos", "acosh", "acot", "asin", "asinh", "atan", "atan2", "atanh",
  "cos", "cosh", "cot", "csc", "sec", "sin", "sinh", "tan", "tanh",
]);

const math = mathjs.create({ ...mathjs.all });
