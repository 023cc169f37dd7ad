const numbers = new Intl.NumberFormat("en");
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function count(value: number): string {
  return numbers.format(value);
}

/** Format a number briefly enough for a chart's axis; means below one keep a digit. */
export function shortCount(value: number): string {
  return value > 0 && value < 1 ? value.toPrecision(1) : compact.format(value);
}

/** Format a number of things, which may be an average, without a fraction. */
export function whole(value: number): string {
  return value > 0 && value < 0.5 ? "<1" : numbers.format(Math.round(value));
}

/** Format a size with three digits and a binary unit. */
export function bytes(value: number): string {
  let size = value;
  let unit = 0;
  while (Math.abs(size) >= 999.5 && unit < BYTE_UNITS.length - 1) {
    size /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || Math.abs(size) >= 99.95 ? 0 : Math.abs(size) >= 9.995 ? 1 : 2;
  return `${size.toFixed(digits)} ${BYTE_UNITS[unit] ?? ""}`;
}

/** Format a time span in its two largest units. */
export function duration(seconds: number): string {
  const units: [string, number][] = [
    ["y", 365 * DAY],
    ["d", DAY],
    ["h", HOUR],
    ["min", MINUTE],
  ];
  const first = units.findIndex(([, length]) => seconds >= length);
  if (first < 0) return seconds <= 0 ? "0 min" : "less than a minute";
  let rest = seconds;
  const parts = units.slice(first, first + 2).map(([unit, length]) => {
    const amount = Math.floor(rest / length);
    rest -= amount * length;
    return amount > 0 ? `${amount} ${unit}` : "";
  });
  return parts.filter(Boolean).join(" ");
}

/** Format a moment relative to now. */
export function relative(moment: Date, now: Date): string {
  const seconds = (moment.getTime() - now.getTime()) / 1000;
  const distance = Math.abs(seconds);
  if (distance < 45) return "just now";
  const [unit, length]: [Intl.RelativeTimeFormatUnit, number] =
    distance < HOUR
      ? ["minute", MINUTE]
      : distance < DAY
        ? ["hour", HOUR]
        : distance < 60 * DAY
          ? ["day", DAY]
          : distance < 730 * DAY
            ? ["month", 30.44 * DAY]
            : ["year", 365.25 * DAY];
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.round(seconds / length), unit);
}

/** Format a moment in the future relative to now; one that has passed may only be waiting for fresh data. */
export function expected(moment: Date, now: Date): string {
  const seconds = (moment.getTime() - now.getTime()) / 1000;
  if (seconds <= 0) return "any moment now";
  return seconds < MINUTE ? "in less than a minute" : relative(moment, now);
}

/** Format how long ago a recent moment was, in seconds up to two minutes. A moment in the future, from a clock that is ahead, is 0 s ago. */
export function ago(moment: Date, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - moment.getTime()) / 1000));
  return seconds < 2 * MINUTE ? `${seconds} s ago` : relative(moment, now);
}

export function dateAndTime(moment: Date): string {
  return moment.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}

export function plural(amount: number, one: string, many = `${one}s`): string {
  return `${count(amount)} ${amount === 1 ? one : many}`;
}

/** Format a mean number of things, rounded. */
export function roughly(mean: number, one: string): string {
  return mean > 0 && mean < 0.5 ? `less than one ${one}` : plural(Math.round(mean), one);
}
