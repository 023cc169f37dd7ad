import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { anomaly, type AnomalyDetail } from "@/api/anomalies";
import { Loaded } from "@/components/requests/Loaded";
import { MaybeMoment, Moment } from "@/components/ui/Moment";
import { Page } from "@/components/ui/Page";
import { Stat, Stats } from "@/components/ui/Stat";
import { Accusations } from "./Accusations";
import { Appeals } from "./Appeals";
import { Decide } from "./Decide";
import { EvidenceCard } from "./EvidenceCard";
import { ClientName, Mode, State } from "./parts";
import { identityName, VERDICTS } from "./words";

const route = getRouteApi("/operator/anomalies/$id");

/** One key or guest: the evidence, the swarms concerned, appeals and decisions. */
export function AnomalyPage() {
  const { id } = route.useParams();
  const { cursor } = route.useSearch();
  const query = useQuery(anomaly(Number(id)));
  const name = query.data ? identityName(query.data) : "Anomaly";
  return (
    <Page title={name} lead={<Link to="/operator/anomalies">All anomalies</Link>}>
      <Loaded query={query} label="Loading the anomaly" lines={10}>
        {(one) => <Details of={one} cursor={cursor} />}
      </Loaded>
    </Page>
  );
}

function Details({ of: one, cursor }: { of: AnomalyDetail; cursor: string | undefined }) {
  const [chosen, choose] = useState<string>();
  return (
    <>
      <Mode />
      <Summary of={one} />
      <Decide key={one.id} of={one} />
      {one.appeals.length > 0 && <Appeals of={one} />}
      <EvidenceCard id={one.id} cursor={cursor} />
      <Accusations of={one} chosen={chosen ?? one.torrents[0]?.info_hash} onChoose={choose} />
    </>
  );
}

function Summary({ of: one }: { of: AnomalyDetail }) {
  return (
    <Stats>
      <Stat label="State" hint={<Moment at={one.since} />}>
        <State state={one.state} />
      </Stat>
      <Stat label="Verdict">{one.verdict === null ? "none" : VERDICTS[one.verdict]}</Stat>
      <Stat
        label="Score"
        hint={
          <>
            as of <Moment at={one.score_time} />
          </>
        }
      >
        {one.score.toFixed(1)}
      </Stat>
      <Stat label="Last evidence">
        <MaybeMoment at={one.evidence_time} />
      </Stat>
      <Stat label="Client" hint={one.client?.prefix}>
        <ClientName client={one.client} />
      </Stat>
    </Stats>
  );
}
