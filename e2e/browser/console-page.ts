// The console in a real browser: Debian's Chromium, driven with playwright-core, and the programs of the
// stack as local processes.

import { type Browser, chromium, type Page } from "playwright-core";
import type { Program } from "../processes/program.ts";
import { Stack } from "../processes/stack.ts";

/** The browser: Debian's package, or another one. */
export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Starts the browser. */
export const launch = (): Promise<Browser> =>
  // Chromium has no sandbox for root.
  chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });

/** A removal after a break is at once; a busy machine must not look like a silent worker. */
const HEARTBEAT = { MDP_HEARTBEAT_INTERVAL_MS: "1000", MDP_HEARTBEAT_LIVENESS: "20" };

/** A broker, a console and a page that shows it. Disposal ends all. */
export class ConsolePage implements AsyncDisposable {
  readonly stack: Stack;
  readonly console: Program;
  readonly page: Page;
  /** The address with the token. */
  readonly tokenUrl: string;
  /** Errors of the page, and messages of a broken content security policy. */
  readonly problems: string[] = [];

  private constructor(stack: Stack, console: Program, page: Page, tokenUrl: string) {
    this.stack = stack;
    this.console = console;
    this.page = page;
    this.tokenUrl = tokenUrl;
    page.on("pageerror", (error) => this.problems.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") this.problems.push(message.text());
    });
  }

  /** Opens the page. `settings` are those of all programs. */
  static async open(browser: Browser, settings: Record<string, string> = {}) {
    const stack = await Stack.start({ ...HEARTBEAT, ...settings });
    const program = stack.program("clients/console.ts", [], { MDP_CONSOLE_PORT: "0" });
    const { tokenUrl } = await program.logged("console.listening");
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.setDefaultTimeout(60_000);
    const opened = new ConsolePage(stack, program, page, String(tokenUrl));
    await page.goto(opened.tokenUrl);
    await page.locator(".broker.up").waitFor();
    return opened;
  }

  /** Shows a view. */
  async show(view: string) {
    await this.page.getByRole("navigation").getByRole("link", { name: view }).click();
  }

  async [Symbol.asyncDispose]() {
    await this.page.close();
    await this.stack[Symbol.asyncDispose]();
  }
}
