// Reads Mermaid from standard input and writes SVG. Run by docs/_ext/mermaid_svg.py, in the folder of the npm packages.
import { readFileSync } from "node:fs";
import { renderMermaidSVG } from "beautiful-mermaid";

process.stdout.write(renderMermaidSVG(readFileSync(0, "utf8"), { transparent: true }));
