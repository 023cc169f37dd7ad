import { Skeleton } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./states.module.css";

interface EmptyProps {
  title: string;
  children: ReactNode;
  action?: ReactNode;
}

/** The empty state: what is missing, and what to do about it. */
export function Empty({ title, children, action }: EmptyProps) {
  return (
    <div className={classes.empty}>
      <p className={classes.title}>{title}</p>
      <div className={classes.text}>{children}</div>
      {action}
    </div>
  );
}

export function Loading({ label, lines = 3 }: { label: string; lines?: number }) {
  return (
    <div className={classes.loading} role="status" aria-label={label}>
      {Array.from({ length: lines }, (_, line) => (
        <Skeleton key={line} height="1.1rem" width={`${90 - ((line * 23) % 45)}%`} />
      ))}
    </div>
  );
}
