/**
 * Which of our packages may import which: the "may import" column of ARCHITECTURE.md.
 */
export interface PackageRow {
  readonly mayImport: readonly string[];
  /** Further packages for some of its own folders, as path from the package → packages. */
  readonly folders?: Readonly<Record<string, readonly string[]>>;
  /** What it imports ships inside its own files: it may be named for development alone. */
  readonly bundles?: true;
  /** Packages it depends on without importing them. */
  readonly runs?: readonly string[];
}

const wireLevel = ['agent-relay-protocol', 'agent-relay-wire'];
const vendorLevel = [...wireLevel, 'agent-relay-provider'];
const vendors = ['agent-relay-claude', 'agent-relay-codex-app-server', 'agent-relay-acp', 'agent-relay-lines'];
const rootLevel = [...vendorLevel, 'agent-relay-client', 'agent-relay-host', ...vendors];
const terminals = ['@lydell/node-pty'];

export const packageTable: Readonly<Record<string, PackageRow>> = {
  'packages/protocol': { mayImport: [] },
  'packages/wire': { mayImport: ['agent-relay-protocol'] },
  'packages/provider': { mayImport: wireLevel },
  'packages/claude': { mayImport: vendorLevel },
  'packages/codex-app-server': { mayImport: vendorLevel },
  'packages/acp': { mayImport: vendorLevel },
  // It translates the frames that Claude Code and others say with the one translator there is.
  'packages/lines': { mayImport: [...vendorLevel, 'agent-relay-claude'] },
  'packages/host': { mayImport: vendorLevel },
  'packages/client': { mayImport: wireLevel },
  'packages/server': {
    mayImport: wireLevel,
    folders: { 'src/cli': ['agent-relay-client'], 'src/cli.ts': ['agent-relay-client'] },
    // The local node is a process of its own, so that a relay that crashes takes no agent with it.
    runs: ['agent-relay-connect'],
  },
  // Its program carries `agent-relay-lines`, and finds what that has of the system from here.
  'packages/connect': { mayImport: rootLevel, runs: terminals },
  'packages/channel-webhook': { mayImport: [...wireLevel, 'agent-relay-client'] },
  'packages/channel-telegram': { mayImport: [...wireLevel, 'agent-relay-client'] },
  // With a relay it is a machine of it, as relay-connect is one.
  'packages/bridge': { mayImport: [...rootLevel, 'agent-relay-connect'], runs: terminals },
  'packages/claude-plugin': { mayImport: [...wireLevel, 'agent-relay-client'], bundles: true },
  'packages/codex-plugin': { mayImport: [...wireLevel, 'agent-relay-client', 'agent-relay-codex-app-server'] },
  // A grammar is a file that is loaded.
  'packages/testing': { mayImport: wireLevel, runs: ['tree-sitter-powershell'] },
  // A provider as somebody else would write one, and the program that lends a machine with it.
  'examples/provider': { mayImport: [...vendorLevel, 'agent-relay-connect'], folders: { test: ['agent-relay-client'] } },
  'apps/dashboard': { mayImport: ['agent-relay-protocol', 'agent-relay-client'] },
};

/** Private folders that test the whole and may import everything. */
export const wholeSystemFolders = ['e2e', 'bench'];

/** What a package's own tests may import besides what its source may. */
export const testPackages = ['agent-relay-testing', 'agent-relay-provider', 'agent-relay-server'];

/** Inner files that some folders may still reach into by path, and why there is no better way. */
export const reachableInnerFiles: Readonly<Record<string, readonly string[]>> = {
  // The node link is tested against the real relay, and the relay depends on connect: a declared dependency would be a circle.
  'packages/connect/test': ['packages/server/src/testing.ts', 'packages/host/test'],
  // Codex's daemon, standing still.
  'packages/codex-plugin/test': ['packages/codex-app-server/test/fake-app-server.ts'],
  // The app-server that answers as a test says.
  'e2e/outages': ['packages/codex-app-server/test/fake-app-server.ts'],
  // Measures the use cases and the store without a transport in between, which no package offers, and
  // real sessions in the terminals of the end-to-end tests.
  bench: ['packages/server/src', 'e2e/support'],
};
