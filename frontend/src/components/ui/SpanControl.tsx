import { SegmentedControl } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import type { Span } from "@/api/public";

const SPANS: { value: Span; label: string }[] = [
  { value: "day", label: "Day" },
  { value: "month", label: "Month" },
  { value: "year", label: "Year" },
];

/** How far back a chart looks; kept in the URL. */
export function SpanControl({ value }: { value: Span }) {
  const navigate = useNavigate();
  return (
    <SegmentedControl
      aria-label="Time range"
      data={SPANS}
      value={value}
      onChange={(chosen) =>
        void navigate({
          to: ".",
          search: (before) => ({ ...before, span: chosen === "day" ? undefined : (chosen as Span) }),
          replace: true,
          resetScroll: false,
        })
      }
    />
  );
}
