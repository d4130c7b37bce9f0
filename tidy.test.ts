// The house rules that a compiler cannot check: pure files without I/O, imports that point one way, and
// files and lines that are short enough to read.

import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { parseEnv } from "node:util";
import { lineCounts, PAGE, withLineCounts } from "./e2e/line-counts.ts";

const sources = globSync("**/*.ts", { exclude: ["node_modules", "bench/node_modules"] });
const code = (file: string) => readFileSync(file, "utf8").replace(/^\s*(\/\/|\/?\*).*$/gm, "");

const isTest = (file: string) => /\.test(ing)?\.ts$/.test(file);
const IMPURE_THERE = ["broker/main.ts", "broker/start.ts", "broker/metrics.ts"];
const PURE_ROOMS = /^(collections|protocol|broker)\//;
const pure = [
  ...sources.filter((file) => PURE_ROOMS.test(file) && !IMPURE_THERE.includes(file)),
  "transport/connect-failures.ts",
  "transport/endpoint.ts",
  "transport/zmtp/connection.ts",
  "transport/zmtp/frames.ts",
  "transport/zmtp/byte-flow.ts",
  "transport/zmtp/held-bytes.ts",
  "transport/zmtp/unsent-bytes.ts",
  "workers/reply-bounds.ts",
  "workers/session.ts",
  "workers/events.ts",
  "clients/session.ts",
  "clients/session-states.ts",
  ...["access", "board", "broker-view", "feed", "history", "rates", "readings", "removals"].map(
    (name) => `clients/console/${name}.ts`,
  ),
].filter((file) => !isTest(file));

const IMPURE = new RegExp(
  String.raw`from "(node:|zeromq|pino|prom-client)|\bDate\b|performance\.|set(Timeout|Interval|Immediate)|` +
    String.raw`Math\.random|\bprocess\.|console\.|\basync\b|\bawait\b`,
);

for (const file of pure) {
  test(`${file} has no I/O, clock, randomness or waiting of its own`, () => {
    const found = code(file)
      .split("\n")
      .filter((line) => IMPURE.test(line));
    assert.deepEqual(found, []);
  });
}

/** The folders from which a file of this folder may import; its own is always allowed. */
const MAY_IMPORT: Record<string, string[]> = {
  collections: [],
  protocol: [],
  transport: ["protocol"],
  runtime: ["collections", "protocol", "transport"],
  broker: ["collections", "protocol", "transport", "runtime"],
  workers: ["collections", "protocol", "transport", "runtime"],
  clients: ["collections", "protocol", "transport", "runtime"],
  e2e: ["collections", "protocol", "transport", "runtime", "broker", "clients", "workers"],
  bench: ["collections", "protocol", "transport", "runtime", "broker", "clients", "workers", "e2e"],
  ".": ["e2e"],
};

for (const file of sources) {
  test(`${file} imports only what it may`, () => {
    const folder = file.includes("/") ? (file.split("/")[0] as string) : ".";
    const allowed = MAY_IMPORT[folder];
    assert.ok(allowed, `tidy.test.ts has no rule for ${folder}/`);
    for (const [, path] of code(file).matchAll(/from "(\.[^"*]+)"|import\("(\.[^"]+)"\)/g)) {
      if (path?.endsWith("/package.json")) continue; // For the version.
      const target = join(dirname(file), path ?? "").split("/")[0] as string;
      assert.ok(target === folder || allowed.includes(target), `it imports ${path}`);
    }
  });

  test(`${file} can be read on a page`, () => {
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    assert.ok(lines.length <= (isTest(file) ? 600 : 500), `it has ${lines.length} lines`);
    // Test titles with a section of an RFC and the texts of mutants stay on one line.
    const mayBeLong = /^\s*(test\(["`]|(rule|find|replace):|["'`])/;
    assert.deepEqual(
      lines.filter((line) => line.length > 110 && !mayBeLong.test(line)),
      [],
    );
  });

  test(`${file} is named after what it is`, () => {
    assert.doesNotMatch(basename(file), /^(utils?|helpers?|common|types|index|misc|lib)\b/);
    assert.doesNotMatch(code(file), /\bTODO\b|\bFIXME\b/);
  });
}

const FOREIGN_LINES: Record<string, number> = {
  "e2e/peers/*.{py,c}": 200,
  "bench/native/*.{py,c,h}": 250,
};

for (const [file, most] of Object.entries(FOREIGN_LINES).flatMap(([files, most]) =>
  globSync(files).map((file) => [file, most] as const),
)) {
  test(`${file} can be read on a page`, () => {
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    assert.ok(lines.length <= most, `it has ${lines.length} lines`);
    assert.deepEqual(
      lines.filter((line) => line.length > 100),
      [],
    );
  });
}

/** Programs, and the parts of runtime/ that only programs use. serve() is a program's sugar. */
const OF_A_PROGRAM = new RegExp(
  "^(e2e|bench)/|^(broker/main|workers/(worker|echo|math|db)|clients/(call|load|console|arguments|load/.+)" +
    "|runtime/(fail|log|log-output|output|settings|signals))\\.ts$",
);
const libraries = sources.filter(
  (file) => file.includes("/") && !isTest(file) && !OF_A_PROGRAM.test(file),
);

for (const file of libraries) {
  test(`${file} reads no environment, listens for no signals and never ends the process`, () => {
    const ofProcess = /\bprocess\.(env|exit|exitCode|on|once|kill|abort)\b/;
    const ofPrograms = /from ".*\/(fail|output|settings|signals)\.ts"/;
    const lines = code(file).split("\n");
    assert.deepEqual(
      lines.filter((line) => ofProcess.test(line) || ofPrograms.test(line)),
      [],
    );
  });
}

test("only transport/libzmq.ts and the tests of transports import zeromq", () => {
  const importing = sources.filter((file) => /(from|import) ?\(?"zeromq"/.test(code(file)));
  // Foreign peers of the tests use it, and so does what the benchmark compares us with.
  assert.deepEqual(importing.filter((file) => !/^(e2e|bench)\//.test(file)).sort(), [
    "transport/libzmq.ts",
    "transport/transport.test.ts",
    "transport/zmtp/sockets.test.ts",
  ]);
});

for (const file of globSync("compose*.yaml")) {
  test(`${file}: no fixed name, so two checkouts share neither project nor image`, () => {
    const yaml = readFileSync(file, "utf8");
    assert.doesNotMatch(yaml, /^name:|container_name:/m);
    const images = [...yaml.matchAll(/^ +image: (.+)$/gm)].map(([, image]) => image);
    assert.ok(images.length > 0);
    for (const image of images) assert.match(image ?? "", /^\$\{COMPOSE_PROJECT_NAME\}-\w+$/);
  });
}

test(".env.example has what the compose files take from the shell, with its defaults", () => {
  const files = globSync("compose*.yaml").map((file) => readFileSync(file, "utf8"));
  const taken = [...files.join("").matchAll(/\{ ?(\w+)(?::-(\w*)\}|: \})/g)];
  const [before = ""] = readFileSync(".env.example", "utf8").split("# Only without compose");
  const said = parseEnv(before);
  assert.deepEqual(Object.keys(said).sort(), [...new Set(taken.map(([, name]) => name))].sort());
  for (const [, name = "", otherwise] of taken) {
    if (otherwise) assert.equal(said[name], otherwise, name);
  }
});

test("the reading order of docs/ARCHITECTURE.md has true counts, at most 1,500 lines", () => {
  const page = readFileSync(PAGE, "utf8");
  assert.equal(withLineCounts(page), page, "run npm run architecture:page");
  const counts = lineCounts(page);
  assert.ok(counts.length > 5, `it lists ${counts.length} files`);
  const sum = counts.reduce((sum, count) => sum + count, 0);
  assert.ok(sum <= 1500, `the files have ${sum} lines`);
});

test("the path of a request in docs/ARCHITECTURE.md names functions that its files have", () => {
  const page = readFileSync("docs/ARCHITECTURE.md", "utf8");
  const steps = [...page.matchAll(/^\| \d+ \| `([^`]+)` \| (.+?) \|/gm)];
  assert.ok(steps.length > 20, `it has ${steps.length} steps`);
  for (const [, file = "", functions = ""] of steps) {
    const words = new Set(readFileSync(file, "utf8").match(/#?\w+/g));
    const names = [...functions.matchAll(/`(?:\w+\.)?(#?\w+)`/g)].map(([, name = ""]) => name);
    assert.deepEqual([file, ...names.filter((name) => !words.has(name))], [file]);
  }
});

test("all programs start with the flags of the image; npm passes SIGTERM on and .env", () => {
  const [, entry = ""] = readFileSync("Dockerfile", "utf8").match(/^ENTRYPOINT (\[.*\])$/m) ?? [];
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
  const [node, ...flags] = JSON.parse(entry);
  // --env-file-if-exists would print a line where there is no .env.
  const envFile = "$([ -f .env ] && echo --env-file=.env)";
  const started = ["exec", node, envFile, ...flags].join(" ");
  for (const [name, file] of Object.entries(PROGRAMS))
    assert.equal(scripts[name], `${started} ${file}`);
});

const PROGRAMS = {
  broker: "broker/main.ts",
  echo: "workers/echo.ts",
  math: "workers/math.ts",
  db: "workers/db.ts",
  call: "clients/call.ts",
  load: "clients/load.ts",
};

test("README.md is a landing page of at most 150 lines", () => {
  const lines = readFileSync("README.md", "utf8").trimEnd().split("\n");
  assert.ok(lines.length <= 150, `it has ${lines.length} lines`);
});

test("the README's ratios are those of docs/PERFORMANCE.md for 64 outstanding", () => {
  const performance = readFileSync("docs/PERFORMANCE.md", "utf8");
  const [, table = ""] = performance.split("\n| 64 outstanding |");
  const [rows = ""] = table.split("\n\n");
  const measured = new Set([...rows.matchAll(/\*\*([\d.]+ ×)\*\*/g)].map(([, ratio]) => ratio));
  const quoted = [...readFileSync("README.md", "utf8").matchAll(/\b([\d.]+ ×)/g)];
  assert.ok(quoted.length > 5, `it quotes ${quoted.length}`);
  const wrong = quoted.map(([, ratio]) => ratio).filter((ratio) => !measured.has(ratio));
  assert.deepEqual(wrong, []);
});

for (const page of globSync(["*.md", "{docs,e2e,bench}/*.md"])) {
  test(`${page}: links lead to files and headings that exist`, () => {
    const links = readFileSync(page, "utf8").matchAll(
      /\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g,
    );
    const broken = [...links].filter(([, path = "", anchor]) => {
      const target = path === "" ? page : join(dirname(page), path);
      if (!existsSync(target)) return true;
      return anchor !== undefined && target.endsWith(".md") && !anchorsOf(target).has(anchor);
    });
    assert.deepEqual(
      broken.map(([link]) => link),
      [],
    );
  });
}

/** The anchors that GitHub gives to the headings of a page. */
function anchorsOf(page: string): Set<string> {
  const headings = readFileSync(page, "utf8").matchAll(/^#+ (.+)$/gm);
  const slug = (heading: string) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\d\s_-]/gu, "")
      .replace(/ /g, "-");
  return new Set([...headings].map(([, heading = ""]) => slug(heading)));
}
