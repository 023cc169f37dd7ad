import { Button } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import classes from "./CopyField.module.css";

const SHOWN_MS = 2000;

interface Props {
  label: string;
  value: string;
  /** Show the label; otherwise only screen readers get it. */
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
        {copied ? `Copied: ${label}` : ""}
      </span>
    </div>
  );
}

/** Copy the value. On plain http:// browsers offer scripts no clipboard, only the old command that copies the selection. */
async function copy(value: string, shown: HTMLElement | null): Promise<boolean> {
  if (window.isSecureContext) {
    try {
      await navigator.clipboard.writeText(value);
      return true;
    } catch {
      // denied: fall back to the selection
    }
  }
  if (shown === null) return false;
  window.getSelection()?.selectAllChildren(shown);
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way without TLS
  return document.execCommand("copy");
}
