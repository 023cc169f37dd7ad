import { expect, test } from "vitest";
import { findProblem, MAX_BYTES } from "./contents";

const TORRENT = "d8:announce9:http://x/4:infod4:name1:aee";
const file = (content: string, size = content.length) => {
  const bytes = Uint8Array.from(content, (character) => character.charCodeAt(0));
  return new File([bytes, new Uint8Array(size - bytes.length)], "a.torrent");
};

// The kind: a file that can't be a torrent, whatever its name says.
test.each([
  ["empty", "", "is empty"],
  ["a film", "\x1aE\xdf\xa3matroska", "is a video"],
  ["an MP4 file", "\0\0\0\x20ftypisom", "is a video"],
  ["music", "ID3\x04", "is a sound file"],
  ["a web page", "\n<!DOCTYPE html><html>", "is a web page"],
  ["a web page with a byte order mark", "\xef\xbb\xbf<html lang=en>", "is a web page"],
  ["a magnet link", "magnet:?xt=urn:btih:0123", "contains a magnet link"],
  ["an address", "https://site.test/a.torrent", "contains a web address"],
  ["an infohash", `${"0123456789abcdef".repeat(3).slice(0, 40)}\n`, "contains an infohash"],
  ["a zip archive", "PK\x03\x04", "is an archive"],
  ["a compressed torrent", "\x1f\x8b\x08", "it's compressed"],
  ["a picture", "\x89PNG", "is a picture"],
  ["a document", "%PDF-1.7", "is a PDF document"],
  ["text", "Dear operator,", "isn't a torrent"],
  ["a list", "li1ee", "isn't a torrent"],
])("%s isn't sent, and the reason says what to do", async (_kind, content, reason) => {
  const problem = await findProblem(file(content));
  expect(problem).toContain(reason);
  expect(problem).toMatch(/\. [A-Z][^]+\.$/);
});

test("a torrent is sent up to the limit, and not beyond it", async () => {
  expect(await findProblem(file(TORRENT))).toBeNull();
  expect(await findProblem(file(TORRENT, MAX_BYTES))).toBeNull();
  expect(await findProblem(file(TORRENT, MAX_BYTES + 1))).toContain("larger than 16 MiB");
});

test("a large file of an unknown kind is taken for content", async () => {
  expect(await findProblem(file("\x01\x02", MAX_BYTES + 1))).toContain(
    "is too large. Choose the .torrent file",
  );
});

test("a folder that was dropped can't be read", async () => {
  const folder = file(TORRENT);
  folder.slice = () =>
    ({ arrayBuffer: () => Promise.reject(new Error("NotReadableError")) }) as unknown as Blob;
  expect(await findProblem(folder)).toContain("folder");
});
