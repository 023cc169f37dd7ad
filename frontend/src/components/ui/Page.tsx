import { type ReactNode, useEffect } from "react";
import { piecesOf } from "./hidden-characters";
import classes from "./Page.module.css";

const TITLE_LENGTH = 80;

interface Props {
  title: string;
  heading?: ReactNode;
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** A page with a heading, which is also the window's title unless `heading` differs. */
export function Page({ title, heading = title, lead, actions, children }: Props) {
  useEffect(() => {
    const shown = piecesOf(title).map(({ text }) => text);
    document.title = `${shown.join("").slice(0, TITLE_LENGTH)} · etracker`;
  }, [title]);
  return (
    <>
      <header className={classes.header}>
        <div className={classes.words}>
          <h1>{heading}</h1>
          {lead !== undefined && <p className={classes.lead}>{lead}</p>}
        </div>
        {actions !== undefined && <div className={classes.actions}>{actions}</div>}
      </header>
      <div className={classes.body}>{children}</div>
    </>
  );
}
