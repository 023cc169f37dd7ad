import { ActionIcon, Tooltip } from "@mantine/core";
import type { ReactNode } from "react";

interface Props {
  label: string;
  /** What it acts on, for screen readers that announce the button without its row. */
  about?: string;
  color?: string;
  onClick: () => void;
  children: ReactNode;
}

/** An icon button that acts on a table row. */
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
