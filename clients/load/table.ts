import Table from "cli-table3";

type Alignment = "left" | "right";

/** For a terminal. Unless told otherwise, the first column is text, the others are figures. */
export function table(
  head: string[],
  rows: string[][],
  colAligns: Alignment[] = head.map((_, column) => (column === 0 ? "left" : "right")),
): string {
  const style = { head: [], border: [], "padding-left": 2, "padding-right": 0, compact: true };
  const plain = new Table({ head, colAligns, chars: NO_LINES, style });
  plain.push(...rows);
  return plain.toString().replaceAll(/ +$/gm, "");
}

/** Only the line under the head stays. */
const NO_LINES = {
  top: "",
  "top-left": "",
  "top-mid": "",
  "top-right": "",
  left: "",
  "left-mid": "",
  middle: "",
  right: "",
  "right-mid": "",
  "mid-mid": "",
  bottom: "",
  "bottom-left": "",
  "bottom-mid": "",
  "bottom-right": "",
};
