// The package in projects of other people: plain Node, require(), tsx, strict TypeScript, esbuild.

import assert from "node:assert/strict";
import { globSync, lstatSync, readFileSync } from "node:fs";
import { before, test } from "node:test";
import { Project, pack } from "./project.ts";

/** A broker, a worker and a client in one process. The replacements make it a file of TypeScript. */
const SOURCE = `
import { startBroker } from "majordomo/broker";
import { Client, NoWorker } from "majordomo/client";
import { json, ServiceError, Worker } from "majordomo/worker";
import { bind } from "majordomo/zmtp";

const broker = await startBroker({ bind: "tcp://127.0.0.1:0" });
const worker = new Worker({ broker: broker.endpoint });
worker.serve("sum", json(({ a, b }/* pair */) => a + b), { concurrency: 4 });
const client = new Client(broker.endpoint);
const sum = await client.json/* number */("sum", { a: 1, b: 2 });
const refused = await client.request("none", "hi", { timeoutMs: 50 }).catch((error) => error);
console.log(sum, refused instanceof NoWorker, refused.code, typeof bind, typeof ServiceError);
client.close();
await worker.close();
await broker.close();
`;
const TYPESCRIPT = SOURCE.replace("/* pair */", ": { a: number; b: number }").replace(
  "/* number */",
  "<number>",
);
const COMMONJS = `(async () => {${SOURCE.replace(
  /import (.*) from (.*);/g,
  "const $1 = require($2);",
)}})();`;
const OUTPUT = "3 true MDP_NO_WORKER function function\n";

let tarball: string;
before(() => {
  tarball = pack();
});

test("project of a client: one package, less than 3 MB, no file of a test", () => {
  using project = new Project(tarball);
  const packages = globSync("node_modules/{@*/*,[^@.]*}", { cwd: project.folder });
  assert.deepEqual(packages, ["node_modules/majordomo"]);
  const files = globSync("node_modules/**", { cwd: project.folder }).map((file) =>
    project.path(file),
  );
  const bytes = files.map((file) => lstatSync(file).size).reduce((sum, size) => sum + size, 0);
  assert.ok(bytes < 3 * 2 ** 20, `${bytes} bytes`);
  assert.deepEqual(
    files.filter((file) => /\.test|testing|\bmain\.|(?<!\.d)\.ts$/.test(file)),
    [],
  );
});

test("plain Node, import and require(): the output of the program", async () => {
  using project = new Project(tarball);
  project.write("main.mjs", SOURCE);
  project.write("main.cjs", COMMONJS);
  assert.equal(await project.run(process.execPath, "main.mjs"), OUTPUT);
  assert.equal(await project.run(process.execPath, "main.cjs"), OUTPUT);
});

test("tsx, in a project without a type: the output of the program", async () => {
  using project = new Project(tarball, {});
  project.write("main.mts", TYPESCRIPT);
  assert.equal(await project.tool("tsx", "main.mts"), OUTPUT);
});

for (const [name, module, moduleResolution] of [
  ["nodenext", "nodenext", "nodenext"],
  ["bundler", "esnext", "bundler"],
] as const) {
  test(`tsc --strict with ${name}, without skipLibCheck: no error`, async () => {
    using project = new Project(tarball);
    project.add("@types/node", "undici-types");
    project.write("main.ts", TYPESCRIPT);
    const compilerOptions = {
      ...{ module, moduleResolution, target: "es2022", strict: true, noEmit: true },
      ...{ skipLibCheck: false, exactOptionalPropertyTypes: true, types: ["node"] },
    };
    project.write("tsconfig.json", JSON.stringify({ compilerOptions, include: ["main.ts"] }));
    await project.tool("tsc", "--project", ".");
  });
}

test("registry and logger of the optional packages: their types fit", async () => {
  using project = new Project(tarball);
  project.add("@types/node", "undici-types", "pino", "prom-client");
  project.write(
    "main.ts",
    `import { Worker } from "majordomo/worker";
     import { startBroker } from "majordomo/broker";
     import { pino } from "pino";
     import { Registry } from "prom-client";
     const options = { logger: pino({ level: "silent" }), metrics: new Registry() };
     new Worker(options);
     new Worker({ logger: console });
     const broker = await startBroker(options);
     console.log((await options.metrics.metrics()).includes("mdp_worker_registered"));
     await broker.close();`,
  );
  const options = [
    "--strict",
    "--noEmit",
    "--module",
    "nodenext",
    "--skipLibCheck",
    "--types",
    "node",
  ];
  await project.tool("tsc", ...options, "main.ts");
  assert.equal(await project.tool("tsx", "main.ts"), "true\n");
});

test("esbuild: one file that runs without the package", async () => {
  using project = new Project(tarball);
  project.write("main.mjs", SOURCE);
  const options = ["--bundle", "--platform=node", "--format=esm", "--outfile=bundle.mjs"];
  await project.tool("esbuild", "main.mjs", ...options, "--log-level=error");
  using elsewhere = new Project(tarball);
  elsewhere.write("bundle.mjs", "");
  await project.run("mv", "bundle.mjs", elsewhere.path("bundle.mjs"));
  await elsewhere.run("rm", "-r", "node_modules");
  assert.equal(await elsewhere.run(process.execPath, "bundle.mjs"), OUTPUT);
});

test("serve() without optional packages: its log is JSON lines, and SIGTERM ends it with code 0", async () => {
  using project = new Project(tarball);
  project.write(
    "main.mjs",
    `import { once } from "node:events";
     import { startBroker } from "majordomo/broker";
     import { serve } from "majordomo/worker";
     const broker = await startBroker({ bind: "tcp://127.0.0.1:0" });
     process.env.MDP_BROKER = broker.endpoint;
     process.env.MDP_HEALTH_PORT = "";
     setTimeout(() => process.kill(process.pid, "SIGTERM"), 500);
     await serve("upper", ([text]) => String(text).toUpperCase());
     await broker.close();`,
  );
  const lines = (await project.run(process.execPath, "main.mjs")).trim().split("\n");
  const events = lines.map((line) => JSON.parse(line));
  assert.deepEqual([events.at(0).event, events.at(-1).event], ["worker.started", "worker.stopped"]);
  for (const { level, program, msg } of events)
    assert.deepEqual([typeof level, program, typeof msg], ["string", "upper", "string"]);
});

test("publint and arethetypeswrong: no problem", async () => {
  using project = new Project(tarball);
  await project.tool("publint", "--strict", "node_modules/majordomo");
  await project.tool("attw", "--profile", "esm-only", tarball);
});

test("blocks of README.md: the test passes, and the worker answers a client", async () => {
  const page = readFileSync("README.md", "utf8");
  const blocks = [...page.matchAll(/```ts\n\/\/ (\S+)\n(.*?)```/gs)];
  using project = new Project(tarball);
  for (const [, name = "", source = ""] of blocks) project.write(name, source);
  await project.tool("tsx", "workers/shout.test.ts");
  project.write(
    "main.ts",
    `import { startBroker } from "majordomo/broker";
     import { Client } from "majordomo/client";
     await using broker = await startBroker();
     process.env.MDP_BROKER = broker.endpoint;
     process.env.LOG_LEVEL = "silent";
     const worker = import("./workers/upper.ts");
     await using client = new Client(broker.endpoint);
     console.log(String(await client.request("upper", "hello")));
     process.kill(process.pid, "SIGTERM");
     await worker;`,
  );
  assert.equal(await project.tool("tsx", "main.ts"), "HELLO\n");
  assert.equal(blocks.length, 2);
});
