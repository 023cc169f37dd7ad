import { Button, VisuallyHidden } from "@mantine/core";
import { IconCloudUpload } from "@tabler/icons-react";
import { useRef, useState } from "react";
import classes from "./DropZone.module.css";

/** Takes files by drag and drop, or from a button that keyboards and screen readers can use. */
export function DropZone({ onFiles }: { onFiles: (files: File[]) => void }) {
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const take = (files: FileList | null) => {
    if (files !== null && files.length > 0) onFiles([...files]);
  };
  return (
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- dropping is an alternative to the button
    <div
      className={classes.zone}
      data-over={over || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => {
        setOver(false);
      }}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer.files);
      }}
    >
      <IconCloudUpload size={36} stroke={1.4} aria-hidden />
      <p>Drop torrent files here, as many as you like</p>
      <Button
        variant="default"
        onClick={() => {
          input.current?.click();
        }}
      >
        Choose files
      </Button>
      <VisuallyHidden>
        <input
          ref={input}
          type="file"
          multiple
          accept=".torrent,application/x-bittorrent"
          tabIndex={-1}
          aria-label="Torrent files"
          onChange={(event) => {
            take(event.currentTarget.files);
            event.currentTarget.value = ""; // so that the same file can be chosen again
          }}
        />
      </VisuallyHidden>
      <small>Up to 16 MiB each</small>
    </div>
  );
}
