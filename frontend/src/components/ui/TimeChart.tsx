import {
  Area,
  AreaChart,
  CartesianGrid,
  ReferenceLine,
  Tooltip,
  XAxis,
  YAxis,
  ResponsiveContainer,
} from "recharts";
import classes from "./TimeChart.module.css";
import { heldPointsOf, pointsOf, timeTicks, valueTicks, type Row, type Sample } from "./drawing";
import { dateAndTime } from "./format";
import type { Measure } from "./measures";

export interface ChartProps {
  samples: Sample[];
  series: { name: string }[];
  measure: Measure;
  /** The time that a sample stands for, which ends at its moment. Without it, each value holds until the next. */
  stepSeconds?: number;
  /** The highest value of the axis; chosen from the data by default. */
  most?: number;
  /** A moment to mark, and what it is. */
  mark?: { at: string; label: string } | undefined;
}

const COLOURS = ["var(--series-1)", "var(--series-2)", "var(--series-3)"];
const TICK = { fill: "var(--soft)", fontSize: 12 };

/** The drawing code, which `Chart` loads on demand. */
export default function TimeChart({ samples, series, measure, stepSeconds, most, mark }: ChartProps) {
  const rows = stepSeconds === undefined ? heldPointsOf(samples) : pointsOf(samples, stepSeconds);
  const moments = timeTicks(rows[0]?.at ?? 0, rows.at(-1)?.at ?? 0);
  const values = valueTicks(most ?? Math.max(0, ...samples.flatMap((sample) => sample.values)), measure);
  return (
    <ResponsiveContainer width="100%" height="100%" initialDimension={{ width: 600, height: 240 }}>
      <AreaChart data={rows} margin={{ top: 6, right: 6, bottom: 0, left: 0 }} accessibilityLayer={false}>
        <CartesianGrid vertical={false} stroke="var(--line)" />
        <XAxis
          dataKey="at"
          type="number"
          scale="time"
          domain={["dataMin", "dataMax"]}
          ticks={moments.map(({ at }) => at)}
          tickFormatter={(at: number) => labelOf(moments, at)}
          tick={TICK}
          axisLine={{ stroke: "var(--line-strong)" }}
          tickLine={false}
          interval="equidistantPreserveStart"
          minTickGap={16}
        />
        <YAxis
          width="auto"
          domain={[0, values.at(-1)?.at ?? 1]}
          ticks={values.map(({ at }) => at)}
          tickFormatter={(value: number) => labelOf(values, value)}
          tick={TICK}
          axisLine={false}
          tickLine={false}
          interval={0}
        />
        <Tooltip
          isAnimationActive={false}
          cursor={{ stroke: "var(--line-strong)" }}
          content={({ active, payload }) =>
            active ? <Values of={payload[0]?.payload as Row} {...{ series, measure }} /> : null
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
        {series.map(({ name }, index) => (
          <Area
            key={name}
            name={name}
            dataKey={(row: Row) => row.values[index]}
            type={stepSeconds === undefined ? "stepAfter" : "stepBefore"}
            stroke={COLOURS[index]}
            strokeWidth={2}
            fill={COLOURS[index]}
            fillOpacity={0.1}
            dot={false}
            isAnimationActive={false}
          />
        ))}
      </AreaChart>
    </ResponsiveContainer>
  );
}

function Values({
  of: row,
  series,
  measure,
}: { of: Row | undefined } & Pick<ChartProps, "series" | "measure">) {
  if (row === undefined || row.values.length === 0) return null;
  return (
    <div className={classes.tooltip}>
      <strong>{dateAndTime(new Date(row.sample))}</strong>
      {series.map(({ name }, index) => (
        <span key={name} className={classes.row}>
          <i style={{ background: COLOURS[index] }} />
          {name} <b>{measure.short(row.values[index] ?? 0)}</b>
        </span>
      ))}
    </div>
  );
}

function labelOf(ticks: { at: number; label: string }[], at: number): string {
  return ticks.find((tick) => tick.at === at)?.label ?? "";
}
