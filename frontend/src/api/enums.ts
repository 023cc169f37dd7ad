// Separate from the requests, so that the router can validate URLs without loading them.
export {
  Action,
  BanKind,
  Hour,
  KeySort,
  Sort as TorrentSort,
  Span,
  SwarmHealth as Health,
} from "./generated/types.gen";
