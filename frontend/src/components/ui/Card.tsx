import { type ReactNode, useId } from "react";
import classes from "./Card.module.css";

interface Props {
  title?: string;
  actions?: ReactNode;
  children: ReactNode;
  /** Leave out the padding, for a table that fills the card. */
  flush?: boolean;
}

export function Card({ title, actions, children, flush = false }: Props) {
  const heading = useId();
  return (
    <section className={classes.card} aria-labelledby={title === undefined ? undefined : heading}>
      {title !== undefined && (
        <div className={classes.top}>
          <h2 id={heading}>{title}</h2>
          {actions}
        </div>
      )}
      <div className={flush ? classes.flush : classes.body}>{children}</div>
    </section>
  );
}
