export interface Line {
  info_hash: string;
  name: string;
}

export interface Parsed {
  items: Line[];
  /** Lines without an infohash, numbered from 1. */
  refused: { line: number; text: string }[];
}

const LINE_PATTERN = /^([0-9a-f]{40})(?:[\s,;]+(.*))?$/i;

/** Parse a list with one infohash per line, each optionally followed by a name. */
export function parseLines(text: string): Parsed {
  const parsed: Parsed = { items: [], refused: [] };
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "") continue;
    const match = LINE_PATTERN.exec(line);
    if (match?.[1] === undefined) parsed.refused.push({ line: index + 1, text: line });
    else parsed.items.push({ info_hash: match[1].toLowerCase(), name: match[2]?.trim() ?? "" });
  }
  return parsed;
}
