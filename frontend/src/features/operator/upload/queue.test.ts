import { expect, test } from "vitest";
import type { UploadedTorrent } from "@/api/operator";
import { type Action, AT_ONCE, reduce, startable, type Upload } from "./queue";

const files = (count: number) =>
  Array.from({ length: count }, (_, number) => new File(["x"], `${number}.torrent`));
const after = (...actions: Action[]) => actions.reduce<Upload[]>(reduce, []);
const states = (uploads: Upload[]) => uploads.map(({ state }) => state);
const result = {} as UploadedTorrent;

test("a few uploads run at once, and the next starts when one ends", () => {
  const added = after({ type: "added", files: files(5) });
  expect(startable(added).map(({ id }) => id)).toEqual([1, 2, 3]);
  const busy = startable(added).reduce((uploads, { id }) => reduce(uploads, { type: "started", id }), added);
  expect(startable(busy)).toEqual([]);
  expect(startable(reduce(busy, { type: "done", id: 2, result })).map(({ id }) => id)).toEqual([AT_ONCE + 1]);
});

test("each upload keeps its own error, and only failed ones are retried", () => {
  const error = new Error("not a torrent");
  const uploads = after(
    { type: "added", files: files(3) },
    { type: "failed", id: 2, error },
    { type: "done", id: 3, result },
  );
  expect(uploads[1]).toMatchObject({ state: "failed", error });
  expect(states(reduce(uploads, { type: "retried" }))).toEqual(["waiting", "waiting", "done"]);
});

test("clearing keeps unfinished uploads, and ids stay unique", () => {
  const cleared = after(
    { type: "added", files: files(3) },
    { type: "done", id: 1, result },
    { type: "failed", id: 2, error: new Error("no") },
    { type: "cleared" },
    { type: "added", files: files(1) },
  );
  expect(cleared.map(({ id }) => id)).toEqual([3, 4]);
});
