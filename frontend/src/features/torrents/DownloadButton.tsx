import { ActionIcon, Button, Tooltip } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { advice } from "@/api/errors";
import { torrentFile } from "@/api/key-holder";
import type { Torrent } from "@/api/public";
import { useAnnounceKey } from "@/api/announce-key";
import { Failure } from "@/components/requests/Failure";
import { piecesOf } from "@/components/ui/hidden-characters";

const NAME_LENGTH = 120;

interface Props {
  torrent: Torrent;
  compact?: boolean;
}

/** Downloads the torrent with the visitor's announce URL. The key is sent in a header, since URLs may be logged. */
export function DownloadButton({ torrent, compact = false }: Props) {
  const [key] = useAnnounceKey();
  const download = useMutation({
    mutationFn: () => torrentFile(torrent.info_hash),
    onSuccess: (file) => {
      save(file, fileName(torrent));
    },
  });
  if (!torrent.has_file) return compact ? null : <p>This tracker has no torrent file for this infohash.</p>;
  const why = key === null ? "Get an announce URL on the home page first" : null;
  const start = () => {
    if (key !== null) download.mutate();
  };
  if (compact) {
    const label = why ?? (download.error ? advice(download.error).detail : "Download with your announce URL");
    return (
      <Tooltip label={label}>
        <ActionIcon
          aria-label={download.error ? `Download failed: ${label}` : "Download torrent file"}
          color={download.error ? "red" : "teal"}
          loading={download.isPending}
          disabled={key === null}
          onClick={start}
        >
          <IconDownload size={18} />
        </ActionIcon>
      </Tooltip>
    );
  }
  return (
    <>
      <Button
        leftSection={<IconDownload size={17} aria-hidden />}
        loading={download.isPending}
        disabled={key === null}
        onClick={start}
      >
        Download torrent file
      </Button>
      {why !== null && <p>{why}.</p>}
      {download.error && <Failure error={download.error} />}
    </>
  );
}

function save(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(link.href);
  }, 60_000);
}

function fileName({ name, info_hash }: Torrent): string {
  const harmless = piecesOf(name)
    .filter(({ hidden }) => !hidden)
    .map(({ text }) => text)
    .join("")
    .replace(/[/\\:*?"<>|]/g, "_")
    .replace(/^\.+/, "")
    .slice(0, NAME_LENGTH)
    .trim();
  return `${harmless === "" ? info_hash : harmless}.torrent`;
}
