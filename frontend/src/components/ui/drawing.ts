// What a chart draws for its samples, and where its ticks are.

import { scaleLinear, scaleTime } from "d3-scale";
import { shortCount } from "./format";
import type { Measure } from "./measures";

export interface Sample {
  at: string;
  values: number[];
}

/** A point of a chart. `values` is empty where a gap begins; `sample` is the moment of the sample it belongs to. */
export interface Row {
  at: number;
  sample: number;
  values: number[];
}

export interface Tick {
  at: number;
  label: string;
}

const DAY = 86_400_000;
const ABOUT = { time: 6, values: 4 };

/**
 * Return the points of samples, each of which stands for the `stepSeconds` before it. Nothing is drawn where samples
 * are missing.
 */
export function pointsOf(samples: Sample[], stepSeconds: number): Row[] {
  const step = stepSeconds * 1000;
  const rows: Row[] = [];
  for (const { at, values } of samples) {
    const sample = Date.parse(at);
    const before = rows.at(-1)?.at;
    if (before === undefined || sample - before > 1.5 * step) {
      rows.push({ at: sample - step, sample, values: [] }, { at: sample - step, sample, values });
    }
    rows.push({ at: sample, sample, values });
  }
  return rows;
}

/** Return the points of samples, each of which holds until the next. */
export function heldPointsOf(samples: Sample[]): Row[] {
  return samples.map(({ at, values }) => ({ at: Date.parse(at), sample: Date.parse(at), values }));
}

/** Return ticks at round moments of the reader's time zone. */
export function timeTicks(from: number, until: number): Tick[] {
  const ticks = scaleTime().domain([from, until]).ticks(ABOUT.time).map(Number);
  const step = (ticks[1] ?? Infinity) - (ticks[0] ?? 0);
  return ticks.map((at) => ({ at, label: momentLabel(new Date(at), step) }));
}

/** Return ticks at round values, the last of which is at least `most`. */
export function valueTicks(most: number, measure: Measure): Tick[] {
  const { size, name } = measure.unit(most);
  const whole = measure.whole && size === 1;
  const top = whole ? Math.ceil(most) : most / size;
  const scale = scaleLinear()
    .domain([0, top || 1])
    .nice(ABOUT.values);
  const ticks = scale.ticks(ABOUT.values).filter((value) => !whole || Number.isInteger(value));
  return ticks.map((value) => ({
    at: value * size,
    label: name ? `${value} ${name}` : value < 1 ? `${value}` : shortCount(value),
  }));
}

function momentLabel(moment: Date, step: number): string {
  const options: Intl.DateTimeFormatOptions =
    step >= 28 * DAY
      ? { month: "short", year: "numeric" }
      : step >= DAY || isMidnight(moment)
        ? { day: "numeric", month: "short" }
        : { hour: "2-digit", minute: "2-digit" };
  return moment.toLocaleString("en-GB", options);
}

function isMidnight(moment: Date): boolean {
  return moment.getHours() === 0 && moment.getMinutes() === 0;
}
