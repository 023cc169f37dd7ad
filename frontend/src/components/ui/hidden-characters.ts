export interface Piece {
  text: string;
  hidden: boolean;
}

// Invisible characters that reorder, join or hide the text around them. The zero-width joiners U+200C and U+200D are
// kept between letters and emoji, where scripts need them.
const HIDDEN = new RegExp(
  "(?:(?<![\\p{L}\\p{M}\\p{Extended_Pictographic}\\uFE0F])[\\u200C\\u200D]" +
    "|[\\u200C\\u200D](?![\\p{L}\\p{M}\\p{Extended_Pictographic}])" +
    "|[\\u0000-\\u001F\\u007F-\\u009F\\u00AD\\u061C\\u115F\\u1160\\u180E\\u200B\\u200E\\u200F" +
    "\\u2028-\\u202E\\u2060-\\u206F\\u3164\\uFEFF\\uFFA0\\u{E0000}-\\u{E007F}])",
  "gu",
);

/** Split a name into visible text and hidden characters; the latter are written as code points. */
export function piecesOf(name: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of name.matchAll(HIDDEN)) {
    if (match.index > end) pieces.push({ text: name.slice(end, match.index), hidden: false });
    pieces.push({ text: codePoint(match[0]), hidden: true });
    end = match.index + match[0].length;
  }
  if (end < name.length) pieces.push({ text: name.slice(end), hidden: false });
  return pieces;
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
