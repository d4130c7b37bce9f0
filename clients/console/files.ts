// The files of the page: its own, and those of its two libraries. They are read once, and nothing else is
// served, so no path of a request reaches the file system.

import { readFileSync } from "node:fs";

/** A file as it is served. */
export type PageFile = { type: string; content: Buffer };

const PAGE = new URL("page/", import.meta.url);
// The browser's builds stand beside the ones that Node resolves.
const LIT = new URL("../", import.meta.resolve("lit-html"));
const UPLOT = new URL("./", import.meta.resolve("uplot"));

const FILES: [folder: URL, prefix: string, names: string[]][] = [
  [
    PAGE,
    "/",
    [
      ...["index.html", "style.css", "icon.svg", "app.js", "live.js", "format.js", "spark.js"],
      ...["overview.js", "services.js", "workers.js", "events.js", "dead-letters.js", "call.js"],
    ],
  ],
  [
    LIT,
    "/lit-html/",
    [
      ...["lit-html.js", "directive.js", "directive-helpers.js"],
      ...["directives/repeat.js", "directives/live.js"],
    ],
  ],
  [UPLOT, "/uplot/", ["uPlot.esm.js", "uPlot.min.css"]],
];

const TYPES: Record<string, string> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

/** The files by the path of a request. */
export function pageFiles(): Map<string, PageFile> {
  const files = new Map<string, PageFile>();
  for (const [folder, prefix, names] of FILES) {
    for (const name of names) {
      const type = TYPES[name.split(".").at(-1) ?? ""] ?? "application/octet-stream";
      files.set(`${prefix}${name}`, { type, content: readFileSync(new URL(name, folder)) });
    }
  }
  const index = files.get("/index.html");
  if (index) files.set("/", index);
  return files;
}
