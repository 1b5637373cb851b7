import type { DeliveryReport } from 'agent-relay-protocol';
import { ActivityBuffer } from './activity-buffer.ts';
import { agentEnvironment } from './agent-environment.ts';
import type { Host, HostOptions } from './host-contract.ts';
import { MailEvidence } from './mail-evidence.ts';
import { type EndJob, ProcessRegister } from './process-register.ts';
import { SessionHost } from './session-host.ts';

/** Ends jobs by what their providers know of ending them. */
export const endJobs =
  ({ providers, env }: Pick<HostOptions, 'providers' | 'env'>): EndJob =>
  async (id, jobId) => {
    const provider = providers.find((each) => each.id === id);
    if (provider) await provider.endJob?.(jobId, agentEnvironment(env, { mark: '', provider }));
  };

/** Ends what an earlier process left running, then answers the host. */
export async function createHost(options: HostOptions): Promise<Host> {
  const register = new ProcessRegister(options.stateDir, options.log, endJobs(options));
  const ended = await register.reap();
  if (ended > 0) options.log.warn('ended processes that an earlier run had left behind', { ended });
  const leftBehind = ActivityBuffer.recover(options.stateDir, {
    onFault: (error) => options.log.warn('activity cannot be written to disk and is kept in memory', { error }),
    onDamage: (path) => options.log.error('activity of an earlier run cannot be read, or not all of it, and is put aside', { path }),
  });
  for (const buffer of leftBehind) {
    void options.relay.report(buffer.owner, takeOver(buffer, options.clock.now()));
  }
  return new SessionHost(options, register, leftBehind);
}

/**
 * Ends a session that an earlier process left behind, and answers what its runtime had confirmed: the relay may have been away ever since, and
 * would give the same mail to the next session as though nobody had read it. A process that is killed before the relay has its word leaves it to the next.
 */
function takeOver(buffer: ActivityBuffer, now: number): readonly DeliveryReport[] {
  if (buffer.lastEvent?.type !== 'session.ended')
    buffer.append({ type: 'session.ended', reason: 'lost', detail: 'relay-connect ended unexpectedly' }, now);
  const evidence = new MailEvidence();
  return buffer.next(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY).flatMap(({ event }) => evidence.observe(event));
}
