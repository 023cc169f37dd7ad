import { piecesOf } from "./hidden-characters";
import classes from "./Name.module.css";

interface Props {
  children: string;
  /** Maximum number of lines; unlimited by default. */
  lines?: 1 | 2;
}

/** Text chosen by users: its direction is isolated from its surroundings, and invisible characters are made visible. */
export function Name({ children, lines }: Props) {
  if (children === "") return <span className={classes.nameless}>(no name)</span>;
  return (
    <bdi className={classes.name} data-lines={lines}>
      {piecesOf(children).map(({ text, hidden }, index) =>
        hidden ? (
          <span key={index} className={classes.hidden} title="Invisible character">
            {text}
          </span>
        ) : (
          text
        ),
      )}
    </bdi>
  );
}
