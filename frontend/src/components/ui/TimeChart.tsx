import {
  Area,
  AreaChart,
  CartesianGrid,
  Line,
  LineChart,
  ReferenceLine,
  Tooltip,
  XAxis,
  YAxis,
  ResponsiveContainer,
} from "recharts";
import classes from "./TimeChart.module.css";
import { dateAndTime } from "./format";

export interface Sample {
  at: string;
  values: number[];
}

export interface ChartProps {
  samples: Sample[];
  series: { name: string }[];
  /** The format of the labels on the time axis. */
  timeFormat: Intl.DateTimeFormatOptions;
  format: (value: number) => string;
  /** Draw steps instead of straight lines: each value holds until the next. */
  steps?: boolean;
  /** The range of the value axis; chosen from the data by default. */
  range?: [number, number];
  /** A moment to mark, and what it is. */
  mark?: { at: string; label: string } | undefined;
}

interface Row {
  at: number;
  values: number[];
}

const FEW = 3;
const COLOURS = ["var(--series-1)", "var(--series-2)", "var(--series-3)"];

/** The drawing code, which `Chart` loads on demand. */
export default function TimeChart({
  samples,
  series,
  timeFormat,
  format,
  steps = false,
  range,
  mark,
}: ChartProps) {
  const rows: Row[] = samples.map(({ at, values }) => ({ at: Date.parse(at), values }));
  const dot = rows.length < FEW && { r: 3 }; // a line through one point is invisible
  const type = steps ? ("stepAfter" as const) : ("linear" as const);
  const Frame = steps ? LineChart : AreaChart;
  return (
    <ResponsiveContainer width="100%" height="100%" initialDimension={{ width: 600, height: 240 }}>
      <Frame data={rows} margin={{ top: 6, right: 6, bottom: 0, left: 0 }} accessibilityLayer={false}>
        <CartesianGrid vertical={false} stroke="var(--line)" />
        <XAxis
          dataKey="at"
          type="number"
          scale="time"
          domain={["dataMin", "dataMax"]}
          tickFormatter={(at: number) => new Date(at).toLocaleString("en-GB", timeFormat)}
          tick={{ fill: "var(--soft)", fontSize: 12 }}
          axisLine={{ stroke: "var(--line-strong)" }}
          tickLine={false}
          minTickGap={48}
        />
        <YAxis
          width="auto"
          tickFormatter={format}
          tick={{ fill: "var(--soft)", fontSize: 12 }}
          axisLine={false}
          tickLine={false}
          domain={range ?? [0, "auto"]}
          allowDecimals={false}
        />
        <Tooltip
          isAnimationActive={false}
          cursor={{ stroke: "var(--line-strong)" }}
          content={({ active, payload, label }) =>
            active ? (
              <div className={classes.tooltip}>
                <strong>{dateAndTime(new Date(Number(label)))}</strong>
                {payload.map((item, index) => (
                  <span key={index} className={classes.row}>
                    <i style={{ background: item.color }} />
                    {item.name} <b>{format(Number(item.value))}</b>
                  </span>
                ))}
              </div>
            ) : null
          }
        />
        {mark && (
          <ReferenceLine
            x={Date.parse(mark.at)}
            stroke="var(--bad)"
            strokeDasharray="4 3"
            label={{ value: mark.label, position: "insideTopRight", fill: "var(--bad)", fontSize: 12 }}
          />
        )}
        {series.map(({ name }, index) => {
          const curve = {
            name,
            dataKey: (row: Row) => row.values[index],
            type,
            stroke: COLOURS[index],
            strokeWidth: 2,
            dot,
            isAnimationActive: false,
          };
          return steps ? (
            <Line key={name} {...curve} />
          ) : (
            <Area key={name} {...curve} fill={COLOURS[index]} fillOpacity={0.1} />
          );
        })}
      </Frame>
    </ResponsiveContainer>
  );
}
