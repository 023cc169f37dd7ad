import { NativeSelect, Switch } from "@mantine/core";
import type { AnomalySearch } from "@/api/anomalies";
import { StateName, VerdictName } from "@/api/enums";
import { useListSearch } from "@/components/lists/list-search";
import { SearchField } from "@/components/ui/SearchField";
import classes from "../tables.module.css";
import { STATES, VERDICTS } from "./words";

const SHOWN_STATES = Object.keys(STATES) as StateName[];
const ALL_VERDICTS = Object.values(VerdictName);

export function Filters({ search }: { search: AnomalySearch }) {
  const { filter } = useListSearch<AnomalySearch>();
  return (
    <div className={classes.toolbar}>
      <SearchField
        label="Search anomalies"
        placeholder="Key number or start of a hash"
        value={search.q}
        onChange={(q) => {
          filter({ q });
        }}
      />
      <NativeSelect
        aria-label="State"
        data={[
          { value: "", label: "Any state" },
          ...SHOWN_STATES.map((value) => ({ value, label: STATES[value].label })),
        ]}
        value={search.state ?? ""}
        onChange={(event) => {
          filter({ state: SHOWN_STATES.find((state) => state === event.currentTarget.value) });
        }}
      />
      <NativeSelect
        aria-label="Verdict"
        data={[
          { value: "", label: "Any verdict" },
          ...ALL_VERDICTS.map((value) => ({ value, label: VERDICTS[value] })),
        ]}
        value={search.verdict ?? ""}
        onChange={(event) => {
          filter({ verdict: ALL_VERDICTS.find((verdict) => verdict === event.currentTarget.value) });
        }}
      />
      <Switch
        label="Appeals to answer"
        checked={search.appealed !== undefined}
        onChange={(event) => {
          filter({ appealed: event.currentTarget.checked ? "true" : undefined });
        }}
      />
    </div>
  );
}
