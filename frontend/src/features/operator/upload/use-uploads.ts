import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useReducer, useRef } from "react";
import { uploadTorrent } from "@/api/upload";
import { findProblem } from "./contents";
import { reduce, startable } from "./queue";

/** Run uploads while the page is open, a few at a time. */
export function useUploads() {
  const [uploads, dispatch] = useReducer(reduce, []);
  const started = useRef(new Set<number>());
  const queries = useQueryClient();
  useEffect(() => {
    for (const { id, file } of startable(uploads)) {
      if (started.current.has(id)) continue;
      started.current.add(id);
      dispatch({ type: "started", id });
      checkAndUpload(file, (share) => {
        dispatch({ type: "progressed", id, share });
      })
        .then(
          (result) => {
            dispatch({ type: "done", id, result });
            void queries.invalidateQueries({ queryKey: ["torrents"] });
          },
          (error: unknown) => {
            dispatch({
              type: "failed",
              id,
              error: error instanceof Error ? error : new Error(String(error)),
            });
          },
        )
        .finally(() => started.current.delete(id));
    }
  }, [uploads, queries]);
  return { uploads, dispatch };
}

/** Send a file, unless it can't be a torrent. */
async function checkAndUpload(file: File, onProgress: (share: number) => void) {
  const problem = await findProblem(file);
  if (problem !== null) throw new Error(problem);
  return uploadTorrent(file, onProgress);
}
