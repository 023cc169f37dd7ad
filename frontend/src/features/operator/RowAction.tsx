import { ActionIcon, Tooltip } from "@mantine/core";
import type { ReactNode } from "react";

interface Props {
  label: string;
  /** The row it is about, for those who hear the button without its row. */
  about?: string;
  color?: string;
  onClick: () => void;
  children: ReactNode;
}

/** Something to do with a row of a table: an icon that says what it is. */
export function RowAction({ label, about, color, onClick, children }: Props) {
  return (
    <Tooltip label={label}>
      <ActionIcon
        aria-label={about === undefined ? label : `${label} ${about}`}
        {...(color !== undefined && { color })}
        onClick={onClick}
      >
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
