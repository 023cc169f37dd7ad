import { Skeleton } from "@mantine/core";
import { Component, lazy, type ReactNode, Suspense } from "react";
import classes from "./Chart.module.css";
import type { ChartProps } from "./TimeChart";
import { dateAndTime } from "./format";

const TimeChart = lazy(() => import("./TimeChart"));

interface Props extends ChartProps {
  /** What the chart shows, in words. */
  summary: string;
}

/** A chart over time, with its data as a table for those who can't see it. The drawing code is loaded on demand. */
export function Chart({ summary, ...chart }: Props) {
  return (
    <figure className={classes.figure}>
      <figcaption className={classes.caption}>
        <span className={classes.summary}>{summary}</span>
        <span className={classes.legend} aria-hidden="true">
          {chart.series.map(({ name }, index) => (
            <span key={name} className={classes.key} data-series={index + 1}>
              {name}
            </span>
          ))}
        </span>
      </figcaption>
      <div className={classes.canvas} aria-hidden="true">
        <Fallback>
          <Suspense fallback={<Skeleton height="100%" radius="md" />}>
            <TimeChart {...chart} />
          </Suspense>
        </Fallback>
      </div>
      <Numbers {...chart} />
    </figure>
  );
}

const ROWS_SHOWN = 48;

function Numbers({ samples, series, measure }: ChartProps) {
  const step = Math.ceil(samples.length / ROWS_SHOWN);
  const rows = samples.filter((_, index) => (samples.length - 1 - index) % step === 0).toReversed();
  return (
    <details className={classes.numbers}>
      <summary>View as table</summary>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrollable region must be focusable for the keyboard */}
      <div className={classes.scroll} tabIndex={0} role="region" aria-label="Chart data">
        <table>
          <thead>
            <tr>
              <th scope="col">Time</th>
              {series.map(({ name }) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((sample) => (
              <tr key={sample.at}>
                <th scope="row">{dateAndTime(new Date(sample.at))}</th>
                {sample.values.map((value, index) => (
                  <td key={series[index]?.name}>{measure.exact(value)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

/** Keeps the data visible when the drawing code can't be loaded. */
class Fallback extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    return this.state.failed ? (
      <p>The chart couldn't be loaded. Its data is in the table below.</p>
    ) : (
      this.props.children
    );
  }
}
