import { ago, dateAndTime, expected, relative } from "./format";
import { useNow } from "./now";

/** A moment relative to now, with the exact time as its tooltip. */
export function Moment({ at }: { at: string }) {
  const now = useNow();
  const moment = new Date(at);
  return (
    <time dateTime={at} title={dateAndTime(moment)}>
      {relative(moment, now)}
    </time>
  );
}

/** A moment that is still expected, relative to now. */
export function Expected({ at }: { at: string }) {
  const moment = new Date(at);
  return (
    <time dateTime={at} title={dateAndTime(moment)}>
      {expected(moment, useNow())}
    </time>
  );
}

/** A moment that may be null. */
export function MaybeMoment({ at, never = "never" }: { at: string | null; never?: string }) {
  return at === null ? never : <Moment at={at} />;
}

/** A recent moment to the second, relative to when the page's data arrived. */
export function Ago({ at, asOf }: { at: string; asOf: Date }) {
  const moment = new Date(at);
  return (
    <time dateTime={at} title={dateAndTime(moment)}>
      {ago(moment, asOf)}
    </time>
  );
}
