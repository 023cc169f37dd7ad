import type { ApiError } from "@/api/errors";
import type { UploadedTorrent } from "@/api/operator";

export type Upload = { id: number; file: File } & (
  | { state: "waiting" }
  | { state: "sending"; share: number }
  | { state: "done"; result: UploadedTorrent }
  | { state: "failed"; error: ApiError | Error }
);

export type Action =
  | { type: "added"; files: File[] }
  | { type: "progressed"; id: number; share: number }
  | { type: "started"; id: number }
  | { type: "done"; id: number; result: UploadedTorrent }
  | { type: "failed"; id: number; error: Error }
  | { type: "retried" }
  | { type: "cleared" };

export const AT_ONCE = 3;

/** Apply an action to the list of uploads. */
export function reduce(uploads: Upload[], action: Action): Upload[] {
  switch (action.type) {
    case "added": {
      const first = 1 + Math.max(0, ...uploads.map(({ id }) => id));
      return [
        ...uploads,
        ...action.files.map((file, index) => ({ id: first + index, file, state: "waiting" as const })),
      ];
    }
    case "started":
      return changed(uploads, action.id, { state: "sending", share: 0 });
    case "progressed":
      return changed(uploads, action.id, { state: "sending", share: action.share });
    case "done":
      return changed(uploads, action.id, { state: "done", result: action.result });
    case "failed":
      return changed(uploads, action.id, { state: "failed", error: action.error });
    case "retried":
      return uploads.map((one) =>
        one.state === "failed" ? { id: one.id, file: one.file, state: "waiting" } : one,
      );
    case "cleared":
      return uploads.filter(({ state }) => state === "waiting" || state === "sending");
  }
}

/** Return the uploads to start now, so that at most a few run at once. */
export function startable(uploads: Upload[]): Upload[] {
  const busy = uploads.filter(({ state }) => state === "sending").length;
  return uploads.filter(({ state }) => state === "waiting").slice(0, Math.max(0, AT_ONCE - busy));
}

type State = Upload extends infer One ? (One extends Upload ? Omit<One, "id" | "file"> : never) : never;

function changed(uploads: Upload[], id: number, state: State): Upload[] {
  return uploads.map((one) => (one.id === id ? { id, file: one.file, ...state } : one));
}
