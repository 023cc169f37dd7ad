import { Link } from "@tanstack/react-router";
import { IconArrowRight, IconChevronsLeft } from "@tabler/icons-react";
import classes from "./Pager.module.css";

/** Links to the next and the first page of a list; going back is the browser's back button. */
export function Pager({ cursor, next }: { cursor: string | undefined; next: string | null }) {
  if (cursor === undefined && next === null) return null;
  return (
    <nav className={classes.pager} aria-label="Pagination">
      {cursor === undefined ? (
        <span />
      ) : (
        <Link to="." search={(before) => ({ ...before, cursor: undefined })}>
          <IconChevronsLeft size={16} aria-hidden /> First page
        </Link>
      )}
      {next !== null && (
        <Link to="." search={(before) => ({ ...before, cursor: next })}>
          Next page <IconArrowRight size={16} aria-hidden />
        </Link>
      )}
    </nav>
  );
}
