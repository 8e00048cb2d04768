export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  /** Kept whole; the other columns give way when the terminal is narrow. */
  readonly fixed?: boolean;
}

const GAP = '  ';
const MIN_WIDTH = 6;

/** Lines of a table that is at most `width` characters wide; longer texts end in an ellipsis. */
export function formatTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
): readonly string[] {
  const cells = [
    columns.map((each) => each.title),
    ...rows.map((row) => columns.map((each) => oneLine(each.value(row)))),
  ];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => row[index]?.length ?? 0)));
  const total = (): number => widths.reduce((sum, each) => sum + each, GAP.length * (columns.length - 1));
  while (total() > width) {
    const widest = indexOfWidest(columns, widths);
    if (widest === undefined) break;
    widths[widest] = Math.max(
      MIN_WIDTH,
      (widths[widest] ?? 0) - (total() - width),
      secondWidest(columns, widths, widest),
    );
  }
  return cells.map((row) =>
    row
      .map((text, index) => fit(text, widths[index] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
}

function indexOfWidest<Row>(columns: readonly Column<Row>[], widths: readonly number[]): number | undefined {
  let widest: number | undefined;
  for (const [index, each] of widths.entries()) {
    if (columns[index]?.fixed || each <= MIN_WIDTH) continue;
    if (widest === undefined || each > (widths[widest] ?? 0)) widest = index;
  }
  return widest;
}

/** Columns shrink together: the widest one first, down to one character less than the next. */
function secondWidest<Row>(columns: readonly Column<Row>[], widths: readonly number[], widest: number): number {
  const others = widths.filter((_, index) => index !== widest && !columns[index]?.fixed);
  return Math.min(Math.max(MIN_WIDTH, ...others), widths[widest] ?? 0) - 1;
}

function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);
}

/** What comes from a device may hold anything: control characters must not reach the terminal. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}
