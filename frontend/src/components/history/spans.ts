import { Span } from "@/api/enums";

export const SPANS = Object.values(Span);

/** The labels on the time axis of a chart over each span. */
export const TIME_FORMATS: Record<Span, Intl.DateTimeFormatOptions> = {
  day: { hour: "2-digit", minute: "2-digit" },
  month: { day: "numeric", month: "short" },
  year: { month: "short", year: "2-digit" },
};
