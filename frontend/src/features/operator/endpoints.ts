import type { Peer } from "@/api/operator";

type Endpoints = Pick<Peer, "address" | "port" | "address6" | "port6">;

/** Where a peer listens; one that is known by IPv6 alone has the same address in both places. */
export function endpoints({ address, port, address6, port6 }: Endpoints): string[] {
  const first = endpoint(address, port);
  const second = address6 === null ? first : endpoint(address6, port6 ?? port);
  return first === second ? [first] : [first, second];
}

function endpoint(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
