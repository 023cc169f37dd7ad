import { expect, test } from "vitest";
import { piecesOf } from "./hidden-characters";

const shown = (name: string) =>
  piecesOf(name)
    .map(({ text, hidden }) => (hidden ? `[${text}]` : text))
    .join("");

test("characters that reorder or hide text are written out", () => {
  expect(shown("invoice\u202Egpj.exe")).toBe("invoice[U+202E]gpj.exe");
  expect(shown("ze\u200Bro\uFEFF")).toBe("ze[U+200B]ro[U+FEFF]");
  expect(shown("a\u0000b\nc")).toBe("a[U+0000]b[U+000A]c");
  expect(shown("\u200D\u200D")).toBe("[U+200D][U+200D]");
  expect(shown("\u{E0041}")).toBe("[U+E0041]");
});

test("joiners that scripts and emoji need are kept", () => {
  for (const name of [
    "می\u200Cخواهم",
    "👩\u200D💻 and 🏳️\u200D🌈",
    "Über naïve",
    "<script>alert(1)</script>",
  ]) {
    expect(shown(name)).toBe(name);
  }
});

test("a very long name is split quickly", () => {
  expect(piecesOf("x".repeat(100_000))).toHaveLength(1);
});
