import type { Agent, Claim, SentMessage, Session, Verification } from 'agent-relay-protocol';

/** What the tools say to a model: short, with every id it needs for the next step. */
export function describeSent({ id, to, matched }: SentMessage): string {
  if (matched === 0) return `Stored as [msg:${id}], but ${to} reached nobody.`;
  return `Sent [msg:${id}] to ${to}, which reached ${matched} ${matched === 1 ? 'agent' : 'agents'}.`;
}

export function describeVerification({ verdict, bodySha256, createdAt, isPerson }: Verification): string {
  const person = isPerson ? 'A person stands behind it.' : 'No person stands behind it.';
  return `${verdict} ${person} Sent at ${new Date(createdAt).toISOString()}; SHA-256 of its body: ${bodySha256}.`;
}

export function describeAgents(agents: readonly Agent[], self: string): string {
  return agents.length === 0 ? 'No agents.' : agents.map((agent) => describeAgent(agent, self)).join('\n');
}

function describeAgent({ id, label, status, provider, capabilities, tags }: Agent, self: string): string {
  const parts = [
    id === self ? `${status} (you)` : status,
    ...(provider === null ? [] : [provider]),
    ...(label === null ? [] : [`label: ${label}`]),
    ...(capabilities.length === 0 ? [] : [`capabilities: ${capabilities.join(', ')}`]),
    ...(tags.length === 0 ? [] : [`tags: ${tags.join(', ')}`]),
  ];
  return `${id}: ${parts.join('; ')}`;
}

export function describeClaim(claim: Claim): string {
  const what = `[${claim.kind === 'message' ? 'msg' : 'task'}:${claim.subjectId}]`;
  if (claim.status !== 'held') return `${what} is ${claim.status}.`;
  const until = new Date(claim.leaseExpiresAt).toISOString();
  return `You hold ${what} until ${until}. claimId: ${claim.claimId}, fence: ${claim.fence}. Report it with relay_complete.`;
}

export function describeSession({ agentId, provider, cwd, mode }: Session): string {
  return `${agentId} runs: ${provider}${cwd === null ? '' : ` in ${cwd}`}, mode ${mode}. Send it messages as ${agentId}.`;
}
