import { Fragment } from "react";
import { Name } from "./Name";

/** A text of several lines that a user wrote, with invisible characters made visible. */
export function Prose({ children }: { children: string }) {
  return (
    <p>
      {children.split("\n").map((line, index) => (
        <Fragment key={index}>
          {index > 0 && <br />}
          {line !== "" && <Name>{line}</Name>}
        </Fragment>
      ))}
    </p>
  );
}
