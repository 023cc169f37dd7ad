import { bytes, count, shortCount, whole } from "./format";

/** What the values of a chart are, and how to write them. */
export interface Measure {
  /** As a label in the chart. */
  short: (value: number) => string;
  /** In the table, with every digit that is known. */
  exact: (value: number) => string;
  /** The unit in which values up to `most` have round numbers. */
  unit: (most: number) => Unit;
  /** Whether there are no fractions of the smallest unit. */
  whole: boolean;
}

export interface Unit {
  size: number;
  name: string;
}

const ONE: Unit = { size: 1, name: "" };
const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
const precise = new Intl.NumberFormat("en", { maximumFractionDigits: 3 });

/** Things that are counted; an average of them is rounded. */
export const COUNT: Measure = { short: whole, exact: whole, unit: () => ONE, whole: true };

export const PER_SECOND: Measure = {
  short: shortCount,
  exact: (value) => precise.format(value),
  unit: () => ONE,
  whole: false,
};

export const BYTES: Measure = {
  short: bytes,
  exact: (value) => `${count(value)} B`,
  unit: (most) => {
    const power = most < 1 ? 0 : Math.min(Math.floor(Math.log2(most) / 10), BYTE_UNITS.length - 1);
    return { size: 1024 ** power, name: BYTE_UNITS[power] ?? "" };
  },
  whole: true,
};
