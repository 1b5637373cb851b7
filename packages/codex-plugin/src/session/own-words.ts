import { RelayError } from 'agent-relay-protocol';

/** Options of `agent-relay` that say which relay, or as whom. */
const foreign = /^--(?:url|token|db|from|agent)(?:=|$)/u;

/**
 * What `agent-relay-codex run` takes: it goes to the session's relay and speaks as the session, and may run outside of Codex's sandbox. Nothing
 * after `--` is spared, for it goes on without that mark.
 * @throws RelayError `validation_failed` naming the option.
 */
export function assertOwnWords(args: readonly string[]): void {
  const option = args.find((arg) => foreign.test(arg))?.split('=')[0];
  if (option === undefined) return;
  const message = `${option} is not taken here: agent-relay-codex run speaks as this session, to its relay`;
  throw new RelayError('validation_failed', message, { issues: [{ path: option.slice(2), message }] });
}
