const HOUR_MS = 3_600_000;

/** For how long something can be banned: a label, and hours. */
const HOURS = {
  "": { label: "Permanently", hours: null },
  hour: { label: "For an hour", hours: 1 },
  day: { label: "For a day", hours: 24 },
  week: { label: "For a week", hours: 7 * 24 },
  month: { label: "For 30 days", hours: 30 * 24 },
  year: { label: "For a year", hours: 365 * 24 },
} as const;

export type Length = keyof typeof HOURS;

export const LENGTHS = Object.entries(HOURS).map(([value, { label }]) => ({ value: value as Length, label }));

/** Return when a ban of this length that begins now ends; null: never. */
export function endOf(length: Length, now: Date): string | null {
  const { hours } = HOURS[length];
  return hours === null ? null : new Date(now.getTime() + hours * HOUR_MS).toISOString();
}

export function parseLength(value: string): Length {
  return LENGTHS.find((length) => length.value === value)?.value ?? "";
}
