import { piecesOf } from "./hostile";
import classes from "./Name.module.css";

interface Props {
  children: string;
  /** How many lines it may fill; all that it needs when absent. */
  lines?: 1 | 2;
}

/** Somebody else's text: isolated from the direction of what is round it, and with nothing in it that can't be seen. */
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
