import type { UseQueryResult } from "@tanstack/react-query";
import type { Span } from "@/api/enums";
import { Loaded } from "@/components/requests/Loaded";
import { Card } from "@/components/ui/Card";
import { Chart } from "@/components/ui/Chart";
import { roughly, shortCount } from "@/components/ui/format";
import { Empty } from "@/components/ui/states";
import { SpanControl } from "./SpanControl";
import { TIME_FORMATS } from "./spans";

interface History {
  span: Span;
  samples: { at: string; seeders: number; leechers: number }[];
}

interface Props {
  title: string;
  /** The selected span; the query may still hold the previous one. */
  span: Span;
  query: UseQueryResult<History>;
  /** Shown until there is a sample. */
  empty: string;
}

/** A chart of seeders and leechers over time. */
export function PeersOverTime({ title, span, query, empty }: Props) {
  return (
    <Card title={title} actions={<SpanControl value={span} />}>
      <Loaded query={query} label="Loading chart" lines={6}>
        {({ samples, span: loaded }) => {
          const last = samples.at(-1);
          return last === undefined ? (
            <Empty title="No history yet">{empty}</Empty>
          ) : (
            <Chart
              summary={`${roughly(last.seeders, "seeder")} and ${roughly(last.leechers, "leecher")} in the latest sample`}
              samples={samples.map(({ at, seeders, leechers }) => ({ at, values: [seeders, leechers] }))}
              series={[{ name: "Seeders" }, { name: "Leechers" }]}
              timeFormat={TIME_FORMATS[loaded]}
              format={(value) => shortCount(value)}
            />
          );
        }}
      </Loaded>
    </Card>
  );
}
