// The open pages: each has a stream of server-sent events. The first event has the history, and each
// further one the whole view. A page that reads slowly misses views, and gets the next one whole.

import type { ServerResponse } from "node:http";
import type { Board } from "./board.ts";

/** The least time between two views, in ms. */
const VIEW_MS = 100;
/** A page with so many unread bytes gets no further view for now. */
const UNREAD_BYTES_MAX = 4 * 2 ** 20;
/** The most open pages. */
const PAGES_MAX = 32;

type Page = { response: ServerResponse; lastEvent: number };

export class Streams {
  #board: Board;
  #now: () => number;
  #pages = new Set<Page>();
  #timer: NodeJS.Timeout | undefined;
  #sentAt = -Infinity;

  constructor(board: Board, now: () => number) {
    this.#board = board;
    this.#now = now;
  }

  /** Whether a page is open. */
  get isOpen(): boolean {
    return this.#pages.size > 0;
  }

  /** Begins a stream. */
  add(response: ServerResponse) {
    if (this.#pages.size >= PAGES_MAX) {
      response.writeHead(503).end("too many open pages\n");
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    const page = { response, lastEvent: 0 };
    this.#pages.add(page);
    response.on("close", () => this.#pages.delete(page));
    send(page, "history", this.#board.samples());
    this.#sendView(page);
  }

  /** Sends the view to all pages, soon. */
  update() {
    const wait = VIEW_MS - (this.#now() - this.#sentAt);
    this.#timer ??= setTimeout(() => this.#sendViews(), Math.max(0, wait));
  }

  /** Sends the latest sample of each service to all pages. */
  sample() {
    const samples = Object.entries(this.#board.samples()).map(([name, all]) => [name, all.at(-1)]);
    for (const page of this.#pages) send(page, "sample", Object.fromEntries(samples));
    this.update();
  }

  /** Ends all streams. */
  close() {
    clearTimeout(this.#timer);
    for (const { response } of this.#pages) response.end();
  }

  #sendViews() {
    this.#timer = undefined;
    this.#sentAt = this.#now();
    for (const page of this.#pages) this.#sendView(page);
  }

  #sendView(page: Page) {
    if (page.response.writableLength > UNREAD_BYTES_MAX) return;
    const { feed } = this.#board;
    const events = feed.after(page.lastEvent);
    page.lastEvent = feed.last;
    send(page, "view", { ...this.#board.view(this.#now()), events });
  }
}

const send = ({ response }: Page, event: string, data: object) =>
  response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
