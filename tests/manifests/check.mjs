// Checks Kubernetes objects against the schemas that their projects publish, in the form that the npm packages
// `kubernetes-models` and `@kubernetes-models/*` have them: a validator generated of each schema, for values, and a type,
// for fields, since an unknown field is no error to a validator and the API server drops it without a word.
//
//   node check.mjs FOLDER FILE..    FOLDER has the packages, each FILE is YAML
//
// Prints a line for each problem and, at the end, how many objects were checked. Ends with 1 where there was a problem.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, ...files] = process.argv.slice(2);
const packages = join(folder, "node_modules");
const require = createRequire(join(packages, "x.js"));
const yaml = require("yaml");
const ts = require("typescript");

const problems = [];

/** The package with the schemas of an API group, and the place of a kind in it. */
function place(apiVersion, kind) {
  const [version, group] = apiVersion.split("/").reverse();
  const of = (name) => join(packages, name, group, version, kind);
  if (group === undefined) return join(packages, "kubernetes-models", version, kind);
  if (group.endsWith(".istio.io")) return of("@kubernetes-models/istio");
  if (group === "gateway.networking.k8s.io") return of("@kubernetes-models/gateway-api");
  if (group === "gateway.envoyproxy.io") return of("@kubernetes-models/envoy-gateway");
  return of("kubernetes-models");
}

/** The same without members that are null, which to the API server are absent, and to a patch what it takes away. */
function present(value) {
  if (Array.isArray(value)) return value.map(present);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).flatMap(([k, v]) => (v === null ? [] : [[k, present(v)]])));
}

const objects = [];
for (const file of files) {
  const text = readFileSync(file, "utf8");
  for (const document of yaml.parseAllDocuments(text)) {
    document.errors.forEach((error) => problems.push(`${file}: ${error.message}`));
    const object = present(document.toJS());
    if (typeof object?.apiVersion !== "string" || typeof object?.kind !== "string") {
      problems.push(`${file}: a document without apiVersion or kind`);
    } else {
      const name = `${file}: ${object.kind} ${object.metadata?.name}`;
      objects.push({ name, object, path: place(object.apiVersion, object.kind) });
    }
  }
}

for (const { name, object, path } of objects) {
  try {
    const module = await import(pathToFileURL(`${path}.js`));
    new module[object.kind](object).validate();
  } catch (error) {
    problems.push(`${name}: ${error.message}`);
  }
}

// One source with every object as a literal of its type, as TypeScript refuses unknown members of literals alone.
const lines = objects.map(({ object, path }, index) => {
  const type = `I${object.kind}`;
  const from = JSON.stringify(`${path}.js`);
  return `import type { ${type} as T${index} } from ${from}; export const o${index}: T${index} = ${JSON.stringify(object)};`;
});
const source = join(packages, "tollgate-manifests.ts");
const options = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  types: [],
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
};
const host = ts.createCompilerHost(options);
const { readFile, fileExists, getSourceFile } = host;
host.readFile = (name) => (name === source ? lines.join("\n") : readFile(name));
host.fileExists = (name) => name === source || fileExists(name);
host.getSourceFile = (name, version, ...rest) =>
  name === source
    ? ts.createSourceFile(name, lines.join("\n"), version, true)
    : getSourceFile.call(host, name, version, ...rest);
for (const found of ts.getPreEmitDiagnostics(ts.createProgram([source], options, host))) {
  const message = ts.flattenDiagnosticMessageText(found.messageText, "; ");
  const line = found.file?.fileName === source && found.file.getLineAndCharacterOfPosition(found.start).line;
  problems.push(`${objects[line]?.name ?? found.file?.fileName ?? "types"}: ${message}`);
}

problems.forEach((problem) => console.log(problem));
console.log(`${objects.length} objects, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
