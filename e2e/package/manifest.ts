// The package.json of the package. That of the repository lists what the deployment needs.

/** The part of the repository's package.json that the package has too. */
type Root = {
  name: string;
  version: string;
  description: string;
  keywords: string[];
  license: string;
  exports: Record<string, string>;
  dependencies: Record<string, string>;
};

/** Packages that the library uses where a project has them. */
const OPTIONAL = ["pino", "prom-client", "zeromq"];

export function manifestOf({ name, version, description, keywords, license, ...root }: Root) {
  const compiled = Object.entries(root.exports).map(([path, source]) => {
    const file = source.replace(/\.ts$/, "");
    return [path, { types: `${file}.d.ts`, default: `${file}.js` }] as const;
  });
  const folders = [
    "broker",
    "clients",
    "collections",
    "protocol",
    "runtime",
    "transport",
    "workers",
  ];
  const peers = OPTIONAL.map((peer) => [peer, `^${root.dependencies[peer]}`]);
  return {
    ...{ name, version, description, keywords, license },
    type: "module",
    engines: { node: ">=22.12" },
    sideEffects: false,
    files: folders,
    exports: Object.fromEntries(compiled),
    peerDependencies: Object.fromEntries(peers),
    peerDependenciesMeta: Object.fromEntries(OPTIONAL.map((peer) => [peer, { optional: true }])),
  };
}
