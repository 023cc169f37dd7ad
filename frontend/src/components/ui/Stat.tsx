import type { ReactNode } from "react";
import classes from "./Stat.module.css";

/** Labelled numbers in a row that wraps. */
export function Stats({ children }: { children: ReactNode }) {
  return <dl className={classes.stats}>{children}</dl>;
}

interface Props {
  label: string;
  children: ReactNode;
  hint?: ReactNode;
}

export function Stat({ label, children, hint }: Props) {
  return (
    <div className={classes.stat}>
      <dt>{label}</dt>
      <dd>
        <span className={classes.value}>{children}</span>
        {hint !== undefined && <span className={classes.hint}>{hint}</span>}
      </dd>
    </div>
  );
}
