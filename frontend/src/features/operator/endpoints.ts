import type { Peer } from "@/api/operator";

type Endpoints = Pick<Peer, "address" | "port" | "address6" | "port6">;

/** Return the endpoints of a peer. The API repeats an IPv6-only peer's address in both fields; it is listed once. */
export function endpoints({ address, port, address6, port6 }: Endpoints): string[] {
  const first = endpoint(address, port);
  const second = address6 === null ? first : endpoint(address6, port6 ?? port);
  return first === second ? [first] : [first, second];
}

function endpoint(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
