import type { Span } from "@/api/enums";
import type { TorrentSample, TrackerSample } from "@/api/public";
import { bytes, plural, roughly, shortCount } from "@/components/ui/format";
import { BYTES, COUNT, PER_SECOND, type Measure } from "@/components/ui/measures";
import { LAST } from "./spans";

/** Something that a chart over time can show. */
export interface Subject<S> {
  /** Its name in the URL. */
  name: string;
  label: string;
  series: string[];
  values: (sample: S) => number[];
  measure: Measure;
  summary: (samples: S[], span: Span) => string;
}

export const PEERS: Subject<{ seeders: number; leechers: number }> = {
  name: "peers",
  label: "Peers",
  series: ["Seeders", "Leechers"],
  values: ({ seeders, leechers }) => [seeders, leechers],
  measure: COUNT,
  summary: (samples) => {
    const { seeders, leechers } = samples.at(-1) ?? { seeders: 0, leechers: 0 };
    return `${roughly(seeders, "seeder")} and ${roughly(leechers, "leecher")} in the latest sample`;
  },
};

export const ANNOUNCES: Subject<TrackerSample> = {
  name: "announces",
  label: "Announces",
  series: ["Announces per second"],
  values: ({ announces_per_second }) => [announces_per_second],
  measure: PER_SECOND,
  summary: (samples) =>
    `${shortCount(samples.at(-1)?.announces_per_second ?? 0)} announces per second in the latest sample`,
};

export const OF_TRACKER: [Subject<TrackerSample>, ...Subject<TrackerSample>[]] = [
  PEERS,
  ANNOUNCES,
  {
    name: "completed",
    label: "Completed",
    series: ["Completed downloads"],
    values: ({ snatches }) => [snatches],
    measure: COUNT,
    summary: (samples, span) =>
      `${plural(
        sum(samples, ({ snatches }) => snatches),
        "completed download",
      )} ${LAST[span]}`,
  },
  {
    name: "data",
    label: "Data",
    series: ["Uploaded", "Downloaded"],
    values: ({ uploaded_bytes, downloaded_bytes }) => [uploaded_bytes, downloaded_bytes],
    measure: BYTES,
    summary: (samples, span) => {
      const uploaded = sum(samples, ({ uploaded_bytes }) => uploaded_bytes);
      const downloaded = sum(samples, ({ downloaded_bytes }) => downloaded_bytes);
      return `${bytes(uploaded)} uploaded and ${bytes(downloaded)} downloaded ${LAST[span]}`;
    },
  },
];

export const OF_TORRENT: [Subject<TorrentSample>, ...Subject<TorrentSample>[]] = [
  PEERS,
  {
    name: "completed",
    label: "Completed",
    series: ["Completed downloads so far"],
    values: ({ snatches }) => [snatches],
    measure: COUNT,
    summary: (samples, span) => {
      const added = (samples.at(-1)?.snatches ?? 0) - (samples[0]?.snatches ?? 0);
      return `${plural(added, "completed download")} ${LAST[span]}`;
    },
  },
];

function sum<S>(samples: S[], of: (sample: S) => number): number {
  return samples.reduce((total, sample) => total + of(sample), 0);
}
