import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// `make dev` tells where the embedded stack's gateway is.
const gateway = process.env.ETRACKER_GATEWAY ?? "http://127.0.0.1:3000";

// As in deploy/gateway/Caddyfile, so that the announce URL that pages show works here too.
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
