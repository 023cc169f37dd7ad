import type { UseQueryResult } from "@tanstack/react-query";
import type { Span } from "@/api/enums";
import { Loaded } from "@/components/requests/Loaded";
import { Card } from "@/components/ui/Card";
import { Chart } from "@/components/ui/Chart";
import { Empty } from "@/components/ui/states";
import { SpanControl, SubjectControl } from "./controls";
import type { Subject } from "./subjects";

interface History<S> {
  span: Span;
  step_seconds: number;
  samples: S[];
}

interface Props<S> {
  title: string;
  /** What can be shown; the first is the default. */
  subjects: [Subject<S>, ...Subject<S>[]];
  /** The name of the selected subject. */
  show: string | undefined;
  /** The selected span; the query may still hold the previous one. */
  span: Span;
  query: UseQueryResult<History<S>>;
  /** Shown until there is a sample. */
  empty: string;
}

/** Statistics over time: the reader selects what is drawn and how far back. */
export function HistoryCard<S extends { at: string }>({
  title,
  subjects,
  show,
  span,
  query,
  empty,
}: Props<S>) {
  const subject = subjects.find(({ name }) => name === show) ?? subjects[0];
  return (
    <Card title={title} actions={<SpanControl value={span} />}>
      <SubjectControl subjects={subjects} value={subject.name} />
      <Loaded query={query} label="Loading chart" lines={6}>
        {({ samples, span: loaded, step_seconds }) =>
          samples.length === 0 ? (
            <Empty title="No history yet">{empty}</Empty>
          ) : (
            <Chart
              summary={subject.summary(samples, loaded)}
              samples={samples.map((sample) => ({ at: sample.at, values: subject.values(sample) }))}
              series={subject.series.map((name) => ({ name }))}
              measure={subject.measure}
              stepSeconds={step_seconds}
            />
          )
        }
      </Loaded>
    </Card>
  );
}
