/** What a chosen file is, as far as its size and its first bytes say, so that it isn't sent in vain. */

export const MAX_BYTES = 16 * 1024 * 1024;
const LOOKED_AT_BYTES = 4096;

const CHOOSE = "Choose the .torrent file that describes it; it's small.";
const AGAIN = "Download the torrent again";

/* eslint-disable no-control-regex -- the signatures of binary formats */
const KINDS: [RegExp, string][] = [
  [
    /^(\xef\xbb\xbf)?\s*magnet:/i,
    "This file contains a magnet link, not a torrent. Open the link in a BitTorrent client, and upload the torrent that the client saves; or add the infohash alone.",
  ],
  [
    /^(\xef\xbb\xbf)?\s*(<!--[^]*?-->\s*)?<(!doctype\s+html|html|head|body|title|meta|script)\b/i,
    `This is a web page, not a torrent: the site may have wanted you to sign in first. ${AGAIN} from a browser in which you are signed in.`,
  ],
  [
    /^(\xef\xbb\xbf)?\s*(https?|ftp|udp):\/\//i,
    "This file contains a web address, not a torrent. Download what is at that address, and upload that.",
  ],
  [
    /^\s*([0-9a-f]{40}|[0-9a-f]{64}|[a-z2-7]{32})\s*$/i,
    "This file contains an infohash, not a torrent. Upload the torrent, or add the infohash alone.",
  ],
  [
    /^(\x1f\x8b|PK\x03\x04|Rar!|7z\xbc\xaf|\xfd7zXZ|BZh[1-9]|\x28\xb5\x2f\xfd|[^]{257}ustar)/,
    "This is an archive, or it's compressed. Unpack it, and upload the torrent that is in it.",
  ],
  [
    /^(\x1aE\xdf\xa3|[^]{4}ftyp|RIFF[^]{4}AVI |\x00\x00\x01[\xb3\xba]|FLV\x01|\x30\x26\xb2\x75|G[^]{187}G[^]{187}G)/,
    `This is a video, not a torrent. ${CHOOSE}`,
  ],
  [
    /^(ID3|fLaC|OggS|RIFF[^]{4}WAVE|FORM[^]{4}AIF|\xff[\xf2\xf3\xfa\xfb])/,
    `This is a sound file, not a torrent. ${CHOOSE}`,
  ],
  [/^(\x89PNG|\xff\xd8\xff|GIF8|RIFF[^]{4}WEBP)/, `This is a picture, not a torrent. ${CHOOSE}`],
  [/^%PDF-/, `This is a PDF document, not a torrent. ${CHOOSE}`],
  [/^(MZ|\x7fELF|\xcf\xfa\xed\xfe)/, `This is a program, not a torrent. ${CHOOSE}`],
];
/* eslint-enable no-control-regex */

/** Return why a file can't be a torrent and what to do, or null if it may be one. */
export async function findProblem(file: File): Promise<string | null> {
  if (file.size === 0) return `This file is empty. ${AGAIN}, and wait until the download has finished.`;
  const start = await firstCharacters(file);
  if (start === null) return "This can't be read. If it's a folder, choose the torrent files in it.";
  if (!/^d([0-9]|e|$)/.test(start)) return describe(file, start);
  if (file.size > MAX_BYTES)
    return "This torrent is larger than 16 MiB, the limit. Create it again with larger pieces.";
  return null;
}

function describe(file: File, start: string): string {
  const kind = KINDS.find(([pattern]) => pattern.test(start));
  if (kind !== undefined) return kind[1];
  return file.size > MAX_BYTES
    ? `This isn't a torrent: it doesn't begin like one and is too large. ${CHOOSE}`
    : "This file isn't a torrent. Choose a file that a BitTorrent client saved as .torrent.";
}

/** Read the beginning as one character per byte, or null if the file can't be read. */
async function firstCharacters(file: File): Promise<string | null> {
  try {
    const bytes = new Uint8Array(await file.slice(0, LOOKED_AT_BYTES).arrayBuffer());
    return String.fromCharCode(...bytes);
  } catch {
    return null;
  }
}
