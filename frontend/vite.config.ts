import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// `make dev` passes the address of the embedded stack's gateway.
const gateway = process.env.ETRACKER_GATEWAY ?? "http://127.0.0.1:3000";

// The same paths as in deploy/gateway/Caddyfile, so that the announce URLs on the pages work here, too.
const ANNOUNCES = String.raw`^/([^/?]+/)?(announce|scrape)(\?|$)`;
const ALIASES = String.raw`^/(announce|scrape)/[^/?]+(\?|$)`;

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    manifest: true,
    assetsInlineLimit: 0, // the Content-Security-Policy allows no data: URLs
    modulePreload: { polyfill: false },
    target: "es2022",
  },
  server: { proxy: { "/api": gateway, [ANNOUNCES]: gateway, [ALIASES]: gateway }, strictPort: true },
});
