import { DecisionName } from "@/api/enums";

const DAY_MS = 86_400_000;

const DAYS: Record<string, { label: string; days: number | null }> = {
  day: { label: "For a day", days: 1 },
  week: { label: "For a week", days: 7 },
  month: { label: "For 30 days", days: 30 },
  year: { label: "For a year", days: 365 },
  "": { label: "Until I end it", days: null },
};

/** How long a decision can last; only an exemption can last until an operator ends it. */
export function lengthsFor(decision: DecisionName): { value: string; label: string }[] {
  return Object.entries(DAYS)
    .filter(([, { days }]) => days !== null || decision === DecisionName.exempt)
    .map(([value, { label }]) => ({ value, label }));
}

/** Return when a decision made now ends; null: when an operator ends it. */
export function endOfDecision(length: string, now: Date): string | null {
  const days = DAYS[length]?.days ?? null;
  return days === null ? null : new Date(now.getTime() + days * DAY_MS).toISOString();
}
