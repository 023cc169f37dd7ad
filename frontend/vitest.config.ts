import { defineConfig, mergeConfig } from "vitest/config";
import build from "./vite.config.ts";

// Apart from the build's configuration: a build has none of the checks' packages.
export default mergeConfig(
  build,
  defineConfig({ test: { environment: "node", include: ["src/**/*.test.ts"] } }),
);
