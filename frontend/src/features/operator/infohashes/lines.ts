export interface Line {
  info_hash: string;
  name: string;
}

export interface Parsed {
  items: Line[];
  /** Lines that name no infohash, with their numbers from 1. */
  refused: { line: number; text: string }[];
}

const FORM = /^([0-9a-f]{40})(?:[\s,;]+(.*))?$/i;

/** Read a list: one infohash a line, a name after it if there is one. */
export function parseLines(text: string): Parsed {
  const parsed: Parsed = { items: [], refused: [] };
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "") continue;
    const match = FORM.exec(line);
    if (match?.[1] === undefined) parsed.refused.push({ line: index + 1, text: line });
    else parsed.items.push({ info_hash: match[1].toLowerCase(), name: match[2]?.trim() ?? "" });
  }
  return parsed;
}
