// The part of the house style that a program can check: CONTRIBUTING.md has the rules. It reads the
// documents and the comments, test titles and messages of the sources.

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";

const EXCLUDE = ["node_modules", "bench/node_modules", "reports"];
const documents = globSync("**/*.md", { exclude: EXCLUDE });

const sources = globSync(["**/*.ts", "Makefile", "**/*.yaml", ".env.example", ".ci/*"], {
  exclude: EXCLUDE,
});

/** Patterns that make a sentence hard to read, and the name of each. */
const HARD: [string, RegExp][] = [
  [
    "starts with Who, What, Whoever or Whatever",
    /(?:^|[.!?:] )(?:Who|What|Whoever|Whatever) (?!\S+ [^.]*\?)[a-z]/,
  ],
  ["has is told or are told", /\b(?:is|are|was|were|be|been) told\b/],
  [
    "has a unit with 'a' instead of 'per'",
    new RegExp(
      String.raw`\b(?:requests|messages|lines?|ms|bytes|calls|replies|write|reads?) an? ` +
        String.raw`(?:second|minute|turn|tick|request|worker|line)\b`,
    ),
  ],
  ["has an old or empty word", /\b(?:besides|anew|whatever becomes|of course|simply)\b/i],
];
const WORDS_MAX = 25;

for (const file of documents) {
  test(`${file}: plain sentences of at most ${WORDS_MAX} words`, () => {
    const text = readFileSync(file, "utf8");
    assert.deepEqual([...hardLines(prose(text)), ...longSentences(text)], []);
  });
}

for (const file of sources) {
  test(`${file}: plain comments, titles and messages`, () => {
    assert.deepEqual(hardLines(commentsAndStrings(readFileSync(file, "utf8"), file)), []);
  });
}

function hardLines(lines: string[]): string[] {
  return lines.flatMap((line) =>
    HARD.filter(([, pattern]) => pattern.test(line)).map(([name]) => `${name}: ${line.trim()}`),
  );
}

/** The lines of a Markdown document outside its code blocks, without inline code and links' targets. */
function prose(text: string): string[] {
  const outside = text.replace(/^```[\s\S]*?^```$/gm, "").replace(/<!--[\s\S]*?-->/g, "");
  return outside.split("\n").map((line) =>
    line
      .replace(/`[^`]*`/g, "code")
      .replace(/\]\([^)]*\)/g, "]")
      .replaceAll("**", ""),
  );
}

/** Tables, headings and lists end a sentence as a full stop does. */
function longSentences(text: string): string[] {
  const blocks = prose(text)
    .map((line) => (/^\s*(\||#)/.test(line) ? "" : line.replace(/^\s*(?:[-*]|\d+\.) /, "\n")))
    .join("\n")
    .split(/\n\s*\n/);
  const sentences = blocks.flatMap((block) =>
    block.replace(/\s+/g, " ").split(/(?<=[.!?:;])\s+(?=\S)/),
  );
  return sentences
    .filter((sentence) => sentence.split(" ").filter((word) => /\w/.test(word)).length > WORDS_MAX)
    .map((sentence) => `long: ${sentence.trim()}`);
}

/** The comments, and for TypeScript the test titles and messages, of a source file. */
function commentsAndStrings(text: string, file: string): string[] {
  const comments = text.split("\n").flatMap((line) => {
    const [, comment] = /(?:^|\s)(?:\/\/|\/?\*\*?|#+)\s+(.*)$/.exec(line) ?? [];
    return comment === undefined ? [] : [comment.replace(/`[^`]*`/g, "code")];
  });
  if (!file.endsWith(".ts") || file === "prose.test.ts") return comments;
  const strings = [...text.matchAll(/(["`])((?:(?!\1)[^\\\n]|\\.)*)\1/g)].map(
    ([, , inside = ""]) => inside,
  );
  return [...comments, ...strings.filter((string) => string.includes(" "))];
}
