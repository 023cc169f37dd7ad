import { NativeSelect } from "@mantine/core";
import type { TorrentSearch } from "@/api/public";
import { useListSearch } from "@/components/lists/list-search";
import { HEALTHS, healthLabel } from "./HealthBadge";
import { SearchField } from "@/components/ui/SearchField";
import classes from "./TorrentFilters.module.css";

const OPTIONS = [
  { value: "", label: "Any health status" },
  ...HEALTHS.map((health) => ({ value: health, label: healthLabel(health) })),
];

/** Search and health filter for a list of torrents. */
export function TorrentFilters({ search }: { search: TorrentSearch }) {
  const { filter } = useListSearch<TorrentSearch>();
  return (
    <div className={classes.filters}>
      <SearchField
        label="Search torrents"
        placeholder="Name, infohash or magnet link"
        value={search.q}
        onChange={(q) => {
          filter({ q });
        }}
      />
      <NativeSelect
        aria-label="Health"
        data={OPTIONS}
        value={search.health ?? ""}
        onChange={(event) => {
          const chosen = event.currentTarget.value;
          filter({ health: HEALTHS.find((health) => health === chosen) });
        }}
      />
    </div>
  );
}
