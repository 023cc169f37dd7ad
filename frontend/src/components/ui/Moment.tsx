import { ago, dateAndTime, relative } from "./format";
import { useNow } from "./now";

/** A moment told from now; the exact time shows when pointed at. */
export function Moment({ at }: { at: string }) {
  const now = useNow();
  const moment = new Date(at);
  return (
    <time dateTime={at} title={dateAndTime(moment)}>
      {relative(moment, now)}
    </time>
  );
}

/** A moment that may never have been. */
export function MaybeMoment({ at, never = "never" }: { at: string | null; never?: string }) {
  return at === null ? never : <Moment at={at} />;
}

/** A moment told to the second, as it was when its page's numbers came. */
export function Ago({ at, asOf }: { at: string; asOf: Date }) {
  const moment = new Date(at);
  return (
    <time dateTime={at} title={dateAndTime(moment)}>
      {ago(moment, asOf)}
    </time>
  );
}
