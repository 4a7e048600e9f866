// Builds the page from web/src into internal/web/page, which the Go program
// embeds, or into the folder that is given:
//
//   node web/build.mjs [FOLDER]

import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const outdir = process.argv[2] ?? here("../internal/web/page");

await build({
  entryPoints: ["early.ts", "main.tsx", "microphone.ts", "style.css", "index.html", "icon.svg"].map((name) => here(`src/${name}`)),
  outdir,
  absWorkingDir: here("."),
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022", "chrome111", "firefox113", "safari16.4"],
  jsx: "automatic",
  jsxImportSource: "preact",
  loader: { ".html": "copy", ".svg": "copy" },
  banner: {
    js: "// Built from web/src by `make web`. Contains Preact, whose licence is preact.txt.",
    css: "/* Built from web/src by `make web`. */",
  },
});
await copyFile(here("node_modules/preact/LICENSE"), join(outdir, "preact.txt"));
