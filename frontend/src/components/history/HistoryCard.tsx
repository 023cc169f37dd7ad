import type { UseQueryResult } from "@tanstack/react-query";
import type { Span } from "@/api/enums";
import { Loaded } from "@/components/requests/Loaded";
import { Card } from "@/components/ui/Card";
import { HistoryChart, type History } from "./HistoryChart";
import { SpanControl, SubjectControl } from "./controls";
import type { Subject } from "./subjects";

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
        {(history) => <HistoryChart subject={subject} history={history} empty={empty} />}
      </Loaded>
    </Card>
  );
}
