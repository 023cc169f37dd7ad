import { defineConfig, mergeConfig } from "vitest/config";
import build from "./vite.config.ts";

// Separate from the build's configuration, because builds don't install the test packages.
export default mergeConfig(
  build,
  defineConfig({ test: { environment: "node", include: ["src/**/*.test.ts"] } }),
);
