import { SegmentedControl } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import type { Span } from "@/api/enums";
import { SPANS } from "./spans";

const LABELS: Record<Span, string> = { day: "Day", month: "Month", year: "Year" };
const DEFAULT: Span = "day";

/** Selects a chart's time range, which is kept in the URL. */
export function SpanControl({ value }: { value: Span }) {
  const navigate = useNavigate();
  return (
    <SegmentedControl
      aria-label="Time range"
      data={SPANS.map((span) => ({ value: span, label: LABELS[span] }))}
      value={value}
      onChange={(chosen) =>
        void navigate({
          to: ".",
          search: (before) => ({
            ...before,
            span: SPANS.find((span) => span === chosen && span !== DEFAULT),
          }),
          replace: true,
          resetScroll: false,
        })
      }
    />
  );
}
