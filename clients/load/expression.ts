// Random integer expressions with + - * and parentheses, together with their values.

/** An expression and its value. */
export type Expression = { text: string; value: number };

/** Returns a random expression. `random` returns numbers from 0 up to 1. */
export function randomExpression(random: () => number): Expression {
  return operation(DEPTH_MAX, random);
}

function operation(depth: number, random: () => number): Expression {
  const left = operand(depth - 1, random);
  const right = operand(depth - 1, random);
  switch (Math.floor(random() * 3)) {
    case 0:
      return { text: `${left.text} + ${right.text}`, value: left.value + right.value };
    case 1:
      return { text: `${left.text} - ${right.text}`, value: left.value - right.value };
    default:
      return { text: `${left.text} * ${right.text}`, value: left.value * right.value };
  }
}

/** Returns a number, or an operation in parentheses, so its value needs no precedence rules. */
function operand(depth: number, random: () => number): Expression {
  if (depth === 0 || random() < 0.4) {
    const value = Math.floor(random() * (NUMBER_MAX + 1));
    return { text: String(value), value };
  }
  const { text, value } = operation(depth, random);
  return { text: `(${text})`, value };
}

// At most eight numbers. A double holds their product (at most 8e15) exactly.
const DEPTH_MAX = 3;
const NUMBER_MAX = 97;
