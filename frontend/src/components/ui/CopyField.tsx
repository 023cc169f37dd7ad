import { Button } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import classes from "./CopyField.module.css";

const SHOWN_MS = 2000;

interface Props {
  label: string;
  value: string;
  /** Show the label; without it, what is around the field must say what it is. */
  labelled?: boolean;
}

/** A text with a button that copies it. */
export function CopyField({ label, value, labelled = false }: Props) {
  const text = useRef<HTMLElement>(null);
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => {
      setCopied(false);
    }, SHOWN_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [copied]);
  return (
    <div className={classes.field} role="group" aria-label={label}>
      {labelled && (
        <span className={classes.label} aria-hidden>
          {label}
        </span>
      )}
      <code ref={text} className={classes.value}>
        {value}
      </code>
      <Button
        className={classes.button}
        leftSection={copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
        onClick={async () => {
          setCopied(await copy(value, text.current));
        }}
      >
        {copied ? "Copied" : "Copy"}
      </Button>
      <span role="status" className={classes.status}>
        {copied ? `${label} copied` : ""}
      </span>
    </div>
  );
}

/** Copy; on plain http:// browsers have no clipboard for scripts, only the old command on what is selected. */
async function copy(value: string, shown: HTMLElement | null): Promise<boolean> {
  if (window.isSecureContext) {
    try {
      await navigator.clipboard.writeText(value);
      return true;
    } catch {
      // refused: select it instead
    }
  }
  if (shown === null) return false;
  window.getSelection()?.selectAllChildren(shown);
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- there is no other way without TLS
  return document.execCommand("copy");
}
