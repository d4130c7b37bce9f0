// The console in a real browser, against real processes.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { until } from "../until.ts";
import { violations } from "./accessibility.ts";
import { ConsolePage, launch } from "./console-page.ts";
import { manyWorkers } from "./many-workers.ts";

const SLOW = "e2e/processes/slow.ts";
let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const rowOf = (page: Page, worker: { pid: number }) =>
  page.locator(".row", { has: page.locator(".name", { hasText: `:${worker.pid}` }) });

test("no worker yet: the page names the command that starts one; then live figures", async () => {
  await using opened = await ConsolePage.open(browser);
  const { page, stack } = opened;
  await page.locator(".empty").first().getByText("npm run echo").waitFor();
  await opened.console.logged("console.tip", ({ command }) =>
    /^npm run -s call/.test(String(command)),
  );
  assert.equal(opened.console.all("console.tip").length, 3);
  const worker = await stack.worker("workers/echo.ts");
  await rowOf(page, worker).waitFor();
  const card = page.getByRole("article", { name: "Service echo" });
  await card.getByText("1 worker").waitFor();
  let isOver = false;
  const load = (async () => {
    while (!isOver) await stack.client.request("echo", "hello");
  })();
  const rate = async () =>
    Number((await card.locator(".value").first().textContent())?.replace(",", ""));
  await until("a rate above 0", async () => (await rate()) > 0);
  await until("a drawn sparkline", async () => (await card.locator("canvas").count()) === 2);
  await page.locator(".totals div", { hasText: "accounting drift" }).getByText("0").waitFor();
  isOver = true;
  await load;
  await until("a rate of 0", async () => (await rate()) === 0);
  assert.deepEqual(opened.problems, []);
});

test("worker killed: its row turns within a second, its requests move to the next worker", async () => {
  await using opened = await ConsolePage.open(browser);
  const { page, stack } = opened;
  const victim = await stack.worker(SLOW);
  const reply = stack.client.request("slow", "held");
  await victim.logged("slow.began");
  const other = await stack.worker(SLOW);
  await rowOf(page, victim).locator(".chip").waitFor();
  await rowOf(page, other).waitFor();

  const row = rowOf(page, victim);
  const turned = page.locator(".row.removed").waitFor();
  const killedAt = performance.now();
  victim.signal("SIGKILL");
  await victim.ended;
  await turned;
  const ms = performance.now() - killedAt;
  await other.logged("slow.began");
  await row.locator(".chip.moving.in-flight").getByText(`→ `).waitFor();
  assert.match((await row.locator(".chip").textContent()) ?? "", new RegExp(`:${other.pid}`));
  await rowOf(page, other).locator(".chip.moved").waitFor();
  other.signal("SIGUSR2");
  await reply;
  await row.locator(".chip.moving.ended").waitFor();
  await page
    .getByRole("status")
    .getByText("removed a worker of slow")
    .waitFor({ state: "attached" });
  process.stdout.write(`# a killed worker's row turned after ${Math.round(ms)} ms\n`);
  assert.ok(ms < 5000, `its row turned after ${ms} ms`);
});

test("broker killed and restarted, console stopped: the page says so, and recovers", async () => {
  await using opened = await ConsolePage.open(browser);
  const { page, stack } = opened;
  const worker = await stack.worker("workers/echo.ts");
  await rowOf(page, worker).waitFor();
  await stack.broker.destroy();
  await page.locator(".banner.bad", { hasText: "does not answer" }).waitFor();
  assert.deepEqual(await violations(page), []);
  await stack.restartBroker();
  await page.locator(".banner.warn", { hasText: "restarted" }).waitFor();
  await rowOf(page, worker).waitFor();
  await page.getByRole("article", { name: "Service echo" }).waitFor();

  await opened.console.stop();
  await page.locator(".banner.bad", { hasText: "console does not answer" }).waitFor();
});

test("500 workers: all in the list; a removed one comes first; the filter finds one", async () => {
  await using opened = await ConsolePage.open(browser);
  const { page, stack } = opened;
  using many = manyWorkers(stack.endpoint, "many", 500);
  await opened.show("Workers");
  await until("500 rows", async () => (await page.locator(".row:not(.head)").count()) === 500);
  many.closeOne(250);
  const first = page.locator(".row:not(.head)").first();
  await first.getByText("removed").waitFor();
  assert.match((await first.textContent()) ?? "", /many:250/);
  await page.getByLabel("Filter workers").fill("many:77");
  await until("one row", async () => (await page.locator(".row:not(.head)").count()) === 1);
  assert.deepEqual(opened.problems, []);
});

test("call through the form: the reply with status and time, an error reply, a reply in parts", async () => {
  await using opened = await ConsolePage.open(browser);
  const { page, stack } = opened;
  await stack.worker("workers/math.ts");
  await stack.worker("e2e/processes/count.ts");
  await opened.show("Call");
  assert.equal(new URL(page.url()).hash, "#call"); // The token is not in the address any more.
  const answer = page.locator(".answer");
  const call = async (service: string, body: string) => {
    await page.locator("input[name=service]").fill(service);
    await page.locator("textarea").fill(body);
    await page.getByRole("button", { name: "Call", exact: true }).click();
  };
  await call("math", "2 + 40");
  await answer.getByText("42", { exact: true }).waitFor();
  assert.match((await answer.textContent()) ?? "", /200\s+after \S+ m?s/);
  await call("math", "2 +");
  await answer.getByText("400", { exact: true }).waitFor();

  await page.getByLabel("Each line is a frame").check();
  await call("count", "count\n3");
  const parts = async (count: number) => {
    await until(
      `${count} parts`,
      async () => (await page.locator(".parts > li").count()) === count,
    );
  };
  await parts(1); // The worker waits before each further part.
  await stack.client.request("count", "go on");
  await parts(2);
});

test("call without the token: refused, and the page says so; the page is read-only", async () => {
  await using opened = await ConsolePage.open(browser);
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(opened.tokenUrl.replace(/#.*/, ""));
  await page.getByText("read-only").waitFor();
  await page.getByRole("link", { name: "Call" }).click();
  await page.getByRole("button", { name: "Call", exact: true }).click();
  await page.locator(".answer").getByText("401").waitFor();
  await context.close();
});

test("events: the filter by request id, and the pause", async () => {
  await using opened = await ConsolePage.open(browser);
  const { page, stack } = opened;
  const worker = await stack.worker(SLOW);
  const reply = stack.client.request("slow", "held", { timeoutMs: 60_000 });
  reply.catch(() => {});
  await worker.logged("slow.began");
  await worker.destroy();
  await opened.show("Events");
  const items = page.locator(".events li");
  await items.filter({ hasText: "removed a worker of slow" }).waitFor();
  await page.getByLabel("Filter events").fill("#1");
  await until("one event", async () => (await items.count()) === 1);
  await page.getByLabel("Filter events").fill("");
  await page.getByRole("button", { name: "Pause" }).click();
  const shown = await items.count();
  await stack.worker("workers/echo.ts");
  await page.getByRole("button", { name: "Resume (1 new event)" }).waitFor();
  assert.equal(await items.count(), shown);
  await page.getByRole("button", { name: "Resume" }).click();
  await until("one event more", async () => (await items.count()) === shown + 1);
});

test("quarantined request: a dead letter", async () => {
  await using opened = await ConsolePage.open(browser, { MDP_DELIVERIES_MAX: "1" });
  const { page, stack } = opened;
  const worker = await stack.worker(SLOW);
  const reply = stack.client.request("slow", "held");
  await worker.logged("slow.began");
  worker.signal("SIGKILL");
  await assert.rejects(reply, { status: 502 });
  await opened.show("Dead letters");
  await page.locator("tbody tr", { hasText: "slow" }).waitFor();
  assert.deepEqual(await violations(page), []);
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`every view, ${colorScheme}: accessible, no sideways scrolling from 360 to 2,560 px`, async () => {
    await using opened = await ConsolePage.open(browser);
    const { page, stack } = opened;
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const victim = await stack.worker("workers/echo.ts");
    await stack.worker("workers/math.ts");
    await rowOf(page, victim).waitFor();
    await victim.destroy();
    await page.locator(".row.removed").waitFor();
    for (const view of ["Overview", "Workers", "Events", "Dead letters", "Call"]) {
      await opened.show(view);
      await page.getByRole("link", { name: view }).and(page.locator("[aria-current]")).waitFor();
      assert.deepEqual(await violations(page), [], view);
      for (const width of [360, 768, 1280, 2560]) {
        await page.setViewportSize({ width, height: 900 });
        const scrollWidth = await page.evaluate<number>("document.documentElement.scrollWidth");
        assert.ok(scrollWidth <= width, `${view} at ${width} px is ${scrollWidth} px wide`);
      }
    }
    assert.deepEqual(opened.problems, []);
  });
}

test("keyboard alone: from the top to the form, and a call", async () => {
  await using opened = await ConsolePage.open(browser);
  const { page, stack } = opened;
  await stack.worker("workers/echo.ts");
  const focused = () => page.evaluate<string>("document.activeElement?.textContent?.trim() ?? ''");
  await until("the focus on Call", async () => {
    await page.keyboard.press("Tab");
    return (await focused()) === "Call";
  });
  await page.keyboard.press("Enter");
  await page.locator("input[name=service]").waitFor();
  await until("the focus on the service", async () => {
    await page.keyboard.press("Tab");
    return page.evaluate<boolean>("document.activeElement.name === 'service'");
  });
  await page.keyboard.press("Enter");
  await page.locator(".answer").getByText("200").waitFor();
});
