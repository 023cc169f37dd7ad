import { NativeSelect } from "@mantine/core";
import type { Health, TorrentSearch } from "@/api/public";
import { HEALTHS, healthLabel } from "@/components/ui/HealthBadge";
import { SearchField } from "@/components/ui/SearchField";
import classes from "./TorrentFilters.module.css";

const OPTIONS = [
  { value: "", label: "Any health" },
  ...HEALTHS.map((health) => ({ value: health, label: healthLabel(health) })),
];

interface Props {
  search: TorrentSearch;
  onChange: (change: { q?: string | undefined; health?: Health | undefined }) => void;
}

/** Search and filter over a list of torrents. */
export function TorrentFilters({ search, onChange }: Props) {
  return (
    <div className={classes.filters}>
      <SearchField
        label="Search torrents"
        placeholder="Words of the name, or an infohash"
        value={search.q ?? ""}
        onChange={(q) => {
          onChange({ q: q === "" ? undefined : q });
        }}
      />
      <NativeSelect
        aria-label="Health"
        data={OPTIONS}
        value={search.health ?? ""}
        onChange={(event) => {
          const chosen = event.currentTarget.value;
          onChange({ health: chosen === "" ? undefined : (chosen as Health) });
        }}
      />
    </div>
  );
}
