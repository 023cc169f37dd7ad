import { Button } from "@mantine/core";
import { IconTrash, IconRefresh } from "@tabler/icons-react";
import { Card } from "@/components/ui/Card";
import { plural } from "@/components/ui/format";
import { Page } from "@/components/ui/Page";
import { DropZone } from "./DropZone";
import type { Upload } from "./queue";
import classes from "./UploadPage.module.css";
import { UploadRow } from "./UploadRow";
import { useUploads } from "./use-uploads";

export function UploadPage() {
  const { uploads, dispatch } = useUploads();
  return (
    <Page
      title="Upload torrents"
      lead="Each file is added to the allowlist as a private torrent. Its trackers, nodes and web seeds are removed, and everyone downloads it with their own announce URL."
    >
      <DropZone
        onFiles={(files) => {
          dispatch({ type: "added", files });
        }}
      />
      {uploads.length > 0 && (
        <Card
          title="Uploads"
          flush
          actions={
            <div className={classes.actions}>
              {uploads.some(({ state }) => state === "failed") && (
                <Button
                  size="xs"
                  variant="default"
                  leftSection={<IconRefresh size={15} aria-hidden />}
                  onClick={() => {
                    dispatch({ type: "retried" });
                  }}
                >
                  Retry failed uploads
                </Button>
              )}
              {uploads.some(({ state }) => state === "done" || state === "failed") && (
                <Button
                  size="xs"
                  variant="default"
                  leftSection={<IconTrash size={15} aria-hidden />}
                  onClick={() => {
                    dispatch({ type: "cleared" });
                  }}
                >
                  Clear list
                </Button>
              )}
            </div>
          }
        >
          <p className={classes.summary} role="status">
            {summary(uploads)}
          </p>
          <ul className={classes.list}>
            {uploads.map((upload) => (
              <UploadRow key={upload.id} upload={upload} />
            ))}
          </ul>
        </Card>
      )}
    </Page>
  );
}

function summary(uploads: Upload[]): string {
  const amount = (state: Upload["state"]) => uploads.filter((one) => one.state === state).length;
  const left = amount("waiting") + amount("sending");
  const parts = [`${plural(amount("done"), "torrent")} uploaded`];
  if (amount("failed") > 0) parts.push(`${amount("failed")} failed`);
  if (left > 0) parts.push(`${left} to go`);
  return `${parts.join(", ")}.`;
}
