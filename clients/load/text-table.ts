type Alignment = "left" | "right";

/**
 * Returns a table for a terminal, with a line under the head. By default the first column is text,
 * aligned left, and the others are numbers, aligned right. Lines have no trailing spaces.
 */
export function textTable(
  head: string[],
  rows: string[][],
  alignments: Alignment[] = head.map((_, column) => (column === 0 ? "left" : "right")),
): string {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: string[]) =>
    widths.map((width, column) => MARGIN + pad(row[column] ?? "", width, alignments[column]));
  const rule = "─".repeat(line([]).join("").length);
  return [head, ...rows]
    .map((row) => line(row).join("").trimEnd())
    .toSpliced(1, 0, rule)
    .join("\n");
}

const pad = (text: string, width: number, alignment: Alignment | undefined) =>
  alignment === "left" ? text.padEnd(width) : text.padStart(width);

const MARGIN = "  ";
