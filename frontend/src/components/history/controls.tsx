import { SegmentedControl } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import type { Span } from "@/api/enums";
import classes from "./controls.module.css";
import { SPANS } from "./spans";

const LABELS: Record<Span, string> = { day: "Day", month: "Month", year: "Year" };
const DEFAULT: Span = "day";

/** Selects a chart's time range, which is kept in the URL. */
export function SpanControl({ value }: { value: Span }) {
  const select = useSelection();
  return (
    <SegmentedControl
      aria-label="Time range"
      data={SPANS.map((span) => ({ value: span, label: LABELS[span] }))}
      value={value}
      onChange={(chosen) => {
        select({ span: SPANS.find((span) => span === chosen && span !== DEFAULT) });
      }}
    />
  );
}

interface SubjectProps {
  subjects: { name: string; label: string }[];
  value: string;
}

/** Selects what a chart shows, which is kept in the URL. */
export function SubjectControl({ subjects, value }: SubjectProps) {
  const select = useSelection();
  return (
    <SegmentedControl
      className={classes.subjects ?? ""}
      aria-label="What is drawn"
      data={subjects.map(({ name, label }) => ({ value: name, label }))}
      value={value}
      onChange={(chosen) => {
        select({ show: chosen === subjects[0]?.name ? undefined : chosen });
      }}
    />
  );
}

function useSelection() {
  const navigate = useNavigate();
  return (selected: Record<string, string | undefined>) =>
    void navigate({
      to: ".",
      search: (before) => ({ ...before, ...selected }),
      replace: true,
      resetScroll: false,
    });
}
