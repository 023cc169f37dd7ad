import { useQuery } from "@tanstack/react-query";
import { type OwnAnomaly, ownAnomaly } from "@/api/key-holder";
import { Failure } from "@/components/requests/Failure";
import { TorrentLink } from "@/components/torrents/TorrentLink";
import { Card } from "@/components/ui/Card";
import { Moment } from "@/components/ui/Moment";
import { Prose } from "@/components/ui/Prose";
import { AppealForm } from "./AppealForm";
import classes from "./Confirmation.module.css";
import { consequence, FOUND } from "./verdicts";

/** What the tracker has confirmed about the visitor's key. Nothing is shown unless there was a confirmation. */
export function Confirmation() {
  const { data, error, refetch } = useQuery(ownAnomaly());
  if (data === undefined) return error && <Failure error={error} onRetry={() => void refetch()} />;
  if (!data.confirmed && data.appeals.length === 0) return null;
  return (
    <Card title={data.confirmed ? "Something is wrong with your client" : "Your appeals"}>
      <div className={classes.body}>
        {data.confirmed && <Found own={data} />}
        <Appeals appeals={data.appeals} />
        {data.confirmed && <AppealForm left={data.appeals_left} />}
      </div>
    </Card>
  );
}

function Found({ own }: { own: OwnAnomaly }) {
  return (
    <>
      <div>
        <p>
          {own.verdict !== null && FOUND[own.verdict]}{" "}
          {own.since !== null && (
            <>
              This was confirmed <Moment at={own.since} />.
            </>
          )}
        </p>
        <p className={classes.consequence}>{consequence(own)}</p>
      </div>
      <details open={own.evidence.length <= FEW}>
        <summary>What was found</summary>
        <ul className={classes.list}>
          {own.evidence.map((one, index) => (
            <li key={index}>
              <p>{one.text}</p>
              {one.torrent !== null && <TorrentLink torrent={one.torrent} />}
              <p className={classes.soft}>
                <Moment at={one.at} />
              </p>
            </li>
          ))}
        </ul>
      </details>
    </>
  );
}

const FEW = 5;

function Appeals({ appeals }: { appeals: OwnAnomaly["appeals"] }) {
  if (appeals.length === 0) return null;
  return (
    <ul className={classes.list} aria-label="Your appeals">
      {appeals.map(({ id, at, text, answer, answered }) => (
        <li key={id}>
          <Prose>{text}</Prose>
          <p className={classes.soft}>
            You, <Moment at={at} />
          </p>
          {answer === null ? (
            <p className={classes.soft}>An operator hasn&rsquo;t answered yet.</p>
          ) : (
            <div className={classes.answer}>
              <Prose>{answer}</Prose>
              <p className={classes.soft}>
                An operator
                {answered !== null && (
                  <>
                    , <Moment at={answered} />
                  </>
                )}
              </p>
            </div>
          )}
        </li>
      ))}
    </ul>
  );
}
