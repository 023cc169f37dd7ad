import js from "@eslint/js";
import boundaries from "eslint-plugin-boundaries";
import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

const to = (...types) => ({ to: { element: { types: { anyOf: types } } } });
const from = (type) => ({ element: { type } });

// Who may import whom, from the top down. Any other import inside src/ is an error, even if only of types.
const layers = {
  files: ["src/*/**/*.{ts,tsx}"],
  plugins: { boundaries },
  settings: {
    "import/resolver": { typescript: true },
    "boundaries/root-path": import.meta.dirname,
    "boundaries/dependency-nodes": ["import", "dynamic-import", "export"],
    "boundaries/legacy-templates": false,
    "boundaries/elements": [
      { type: "app", pattern: "src/app", partialMatch: false },
      { type: "feature", pattern: "src/features/*", capture: ["name"], partialMatch: false },
      { type: "ui", pattern: "src/components/ui", partialMatch: false },
      { type: "component", pattern: "src/components/!(ui)", partialMatch: false },
      { type: "api", pattern: "src/api", partialMatch: false },
    ],
  },
  rules: {
    "boundaries/no-unknown-files": "error",
    "boundaries/no-unknown-dependencies": "error",
    "boundaries/dependencies": [
      "error",
      {
        default: "disallow",
        checkAllOrigins: true, // also external packages: components/ui must not know the router
        policies: [
          { allow: { to: { module: { origin: ["external", "core"] } } } },
          { from: from("app"), allow: to("app", "feature", "component", "ui", "api") },
          { from: from("feature"), allow: to("component", "ui", "api") },
          { from: from("component"), allow: to("component", "ui", "api") },
          {
            from: from("ui"),
            disallow: { to: { module: { origin: "external", source: "@tanstack/react-router" } } },
          },
        ],
      },
    ],
  },
};

export default tseslint.config(
  { ignores: ["dist", "src/api/generated"] },
  js.configs.recommended,
  {
    files: ["**/*.{ts,tsx}"],
    extends: [
      tseslint.configs.strictTypeChecked,
      tseslint.configs.stylisticTypeChecked,
      jsxA11y.flatConfigs.strict,
      reactHooks.configs.flat.recommended,
    ],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // Async event handlers report their own failures; nobody awaits them.
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      // The router signals a redirect by throwing it.
      "@typescript-eslint/only-throw-error": [
        "error",
        { allow: [{ from: "package", package: "@tanstack/router-core", name: "Redirect" }] },
      ],
    },
  },
  layers,
);
