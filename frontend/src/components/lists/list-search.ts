import { useNavigate } from "@tanstack/react-router";

/** What is asked for or left out; everything else in the URL stays. */
type Change<Search> = { [K in keyof Search]?: Search[K] | undefined };

/**
 * Changes of what the page's URL says about its list, which begins anew from its first page. A filter takes the place
 * of the one before, letter by letter as it is typed; an order is a step of its own for the back button.
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
