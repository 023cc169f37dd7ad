import { useNavigate } from "@tanstack/react-router";

/** The parameters to change; undefined removes one. Others stay as they are. */
type Change<Search> = { [K in keyof Search]?: Search[K] | undefined };

/**
 * Change the list's parameters in the URL and go back to its first page. A filter replaces the current history entry,
 * since it changes with every letter typed; a new order adds an entry for the back button.
 */
export function useListSearch<Search extends object>() {
  const navigate = useNavigate();
  const go = (change: Change<Search>, replace: boolean) =>
    void navigate({ to: ".", search: (before) => ({ ...before, ...change, cursor: undefined }), replace });
  return {
    filter: (change: Change<Search>) => {
      go(change, true);
    },
    order: (change: Change<Search>) => {
      go(change, false);
    },
  };
}
