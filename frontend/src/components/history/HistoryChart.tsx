import type { Span } from "@/api/enums";
import { Chart } from "@/components/ui/Chart";
import { Empty } from "@/components/ui/states";
import type { Subject } from "./subjects";

export interface History<S> {
  span: Span;
  step_seconds: number;
  samples: S[];
}

interface Props<S> {
  subject: Subject<S>;
  history: History<S>;
  /** Shown until there is a sample. */
  empty: string;
}

/** A chart of one subject over time. */
export function HistoryChart<S extends { at: string }>({ subject, history, empty }: Props<S>) {
  const { samples, span, step_seconds } = history;
  return samples.length === 0 ? (
    <Empty title="No history yet">{empty}</Empty>
  ) : (
    <Chart
      summary={subject.summary(samples, span)}
      samples={samples.map((sample) => ({ at: sample.at, values: subject.values(sample) }))}
      series={subject.series.map((name) => ({ name }))}
      measure={subject.measure}
      stepSeconds={step_seconds}
    />
  );
}
