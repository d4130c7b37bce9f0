// The program `load` at a broker of 7/MDP without 8/MMI, and with a service of the user.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Router } from "zeromq";
import { freeEndpoint, Program } from "./program.ts";
import { Stack } from "./stack.ts";

test("broker without 8/MMI: load runs without the check of the workers, and passes", async () => {
  await using broker = await BareBroker.start();
  const args = ["--mix", "echo", "--duration", "1", "--json"];
  const load = new Program("clients/load.ts", args, { MDP_BROKER: broker.endpoint });
  assert.equal((await load.ended).code, 0, load.errors);
  assert.match(load.errors, /^load: the broker at .* does not answer mmi\.service: .+$/m);
  const { total } = JSON.parse(load.output);
  assert.ok(total.answered > 0);
  assert.equal(total.answered, total.sent);
});

test("--service: load sends the body of a file to a service of the user", async (t) => {
  await using stack = await Stack.start({ MDP_MESSAGE_BYTES_MAX: "65536" });
  const worker = await stack.worker("e2e/processes/slow.ts");
  const folder = mkdtempSync(join(tmpdir(), "majordomo-load-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const body = join(folder, "body");
  writeFileSync(body, "1");
  const load = async (file: string) => {
    const args = ["--service", "slow", "--body", `@${file}`, "--duration", "1", "--json"];
    const program = stack.program("clients/load.ts", args);
    return { ...(await program.ended), output: program.output, errors: program.errors };
  };
  const { code, output, errors } = await load(body);
  assert.equal(code, 0, errors);
  const { services, total } = JSON.parse(output);
  assert.ok(total.answered > 0);
  assert.deepEqual([services.slow.answered, services.slow.refused], [total.sent, 0]);
  assert.equal(worker.all("slow.began").length, total.sent);

  writeFileSync(body, Buffer.alloc(70_000));
  const tooLarge = await load(body);
  assert.equal(tooLarge.code, 1);
  assert.match(
    tooLarge.errors,
    /^load: the request has 70004 bytes; the broker accepts at most \d+\n$/,
  );
});

/** Replies to each plain request with its body, and to no request for the broker itself. */
class BareBroker implements AsyncDisposable {
  readonly endpoint: string;
  #socket: Router;
  #reading: Promise<void>;

  static async start(): Promise<BareBroker> {
    const endpoint = await freeEndpoint();
    const socket = new Router({ linger: 0 });
    await socket.bind(endpoint);
    return new BareBroker(endpoint, socket);
  }

  private constructor(endpoint: string, socket: Router) {
    this.endpoint = endpoint;
    this.#socket = socket;
    this.#reading = this.#reply();
  }

  async #reply() {
    for await (const [from = "", empty = "", header = "", service = "", ...body] of this.#socket) {
      if (String(service).startsWith("mmi.")) continue;
      await this.#socket.send([from, empty, header, service, ...body]);
    }
  }

  async [Symbol.asyncDispose]() {
    this.#socket.close();
    await this.#reading;
  }
}
