/**
 * How whoever runs this program calls it, for sentences that say what to type next: `npx agent-relay-server` where npm found it (npx, or `npm start` of
 * a checkout, whose folder has it), else `agent-relay`. Never `npx agent-relay`: outside a checkout that is somebody else's package.
 */
export function programName(env: Readonly<Record<string, string | undefined>>): string {
  const isFoundByNpm = env['npm_command'] === 'exec' || env['npm_lifecycle_event'] === 'start';
  return isFoundByNpm ? 'npx agent-relay-server' : 'agent-relay';
}
