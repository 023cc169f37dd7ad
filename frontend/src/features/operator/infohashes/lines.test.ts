import { expect, test } from "vitest";
import { parseLines } from "./lines";

const HASH = "0123456789abcdef0123456789abcdef01234567";

test("a line has an infohash and optionally a name", () => {
  const { items, refused } = parseLines(
    `${HASH}\n\n  ${HASH.toUpperCase()}  Some, name; of a torrent \r\n${HASH},other`,
  );
  expect(items).toEqual([
    { info_hash: HASH, name: "" },
    { info_hash: HASH, name: "Some, name; of a torrent" },
    { info_hash: HASH, name: "other" },
  ]);
  expect(refused).toEqual([]);
});

test("a line without an infohash is reported by its number", () => {
  expect(parseLines(`${HASH}\n${HASH.slice(1)}\nhello`).refused).toEqual([
    { line: 2, text: HASH.slice(1) },
    { line: 3, text: "hello" },
  ]);
});
