import { Span } from "@/api/enums";

export const SPANS = Object.values(Span);

export const LAST: Record<Span, string> = {
  day: "in the last 24 hours",
  month: "in the last month",
  year: "in the last year",
};
