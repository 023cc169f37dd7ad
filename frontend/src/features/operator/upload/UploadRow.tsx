import { Progress } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconClock, IconUpload } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { advice } from "@/api/errors";
import { bytes } from "@/components/ui/format";
import { Name } from "@/components/ui/Name";
import type { Upload } from "./queue";
import classes from "./UploadRow.module.css";

const ICONS = { waiting: IconClock, sending: IconUpload, done: IconCircleCheck, failed: IconAlertTriangle };

/** One file with its progress or result. */
export function UploadRow({ upload }: { upload: Upload }) {
  const Icon = ICONS[upload.state];
  return (
    <li className={classes.row} data-state={upload.state}>
      <Icon className={classes.icon} size={20} aria-hidden />
      <div className={classes.file}>
        <Name lines={1}>{upload.file.name}</Name>
        <Outcome upload={upload} />
      </div>
      <span className={classes.size}>{bytes(upload.file.size)}</span>
    </li>
  );
}

function Outcome({ upload }: { upload: Upload }) {
  switch (upload.state) {
    case "waiting":
      return <p className={classes.text}>Waiting</p>;
    case "sending":
      return (
        <Progress
          className={classes.bar}
          value={upload.share * 100}
          size="sm"
          radius="xl"
          aria-label={`Uploading ${upload.file.name}`}
        />
      );
    case "failed":
      return <p className={classes.text}>{advice(upload.error).detail}</p>;
    case "done": {
      const { torrent, message } = upload.result;
      return (
        <p className={classes.text}>
          {message}{" "}
          <Link to="/infohashes/$infoHash" params={{ infoHash: torrent.info_hash }}>
            {torrent.info_hash.slice(0, 12)}…
          </Link>
        </p>
      );
    }
  }
}
