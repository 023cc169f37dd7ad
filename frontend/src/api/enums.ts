// Separate from the requests, so that the router can validate URLs without loading them.
export {
  Action,
  AnomalySort,
  BanKind,
  DecisionName,
  Hour,
  KeySort,
  Sort as TorrentSort,
  Span,
  StateName,
  SwarmHealth as Health,
  VerdictName,
} from "./generated/types.gen";
