import type { Agent, Claim, SentMessage, Session, Verification } from 'agent-relay-protocol';
import { ModelText, modelText } from 'agent-relay-wire';

/** What the tools say to a model: short, with every id it needs for the next step. */
export function tellSent({ id, to, matched, offline = 0 }: SentMessage): ModelText {
  if (matched === 0) return modelText`Stored as [msg:${id}], but ${to} reached nobody.`;
  const reached = modelText`Sent [msg:${id}] to ${to}, which reached ${matched} ${matched === 1 ? 'agent' : 'agents'}.`;
  if (offline === 0) return reached;
  return modelText`${reached} ${offline === matched ? 'Offline now' : `${offline} of them offline now`}: the mail waits.`;
}

export function describeVerification({ verdict, bodySha256, createdAt, isPerson }: Verification): ModelText {
  const person = isPerson ? 'A person stands behind it.' : 'No person stands behind it.';
  return modelText`${verdict} ${person} Sent at ${new Date(createdAt).toISOString()}; SHA-256 of its body: ${bodySha256}.`;
}

export function describeAgents(agents: readonly Agent[], self: string): ModelText {
  if (agents.length === 0) return modelText`No agents.`;
  return ModelText.join(
    agents.map((agent) => describeAgent(agent, self)),
    '\n',
  );
}

function describeAgent({ id, label, status, wake, provider, capabilities, tags }: Agent, self: string): ModelText {
  const parts = [
    id === self ? `${status} (you)` : status,
    ...(wake === undefined ? [] : ['mail wakes it']),
    ...(provider === null ? [] : [provider]),
    ...(label === null ? [] : [`label: ${label}`]),
    ...(capabilities.length === 0 ? [] : [`capabilities: ${capabilities.join(', ')}`]),
    ...(tags.length === 0 ? [] : [`tags: ${tags.join(', ')}`]),
  ];
  return modelText`${id}: ${oneLine(parts.join('; '))}`;
}

const MOST_SHOWN = 200;

/** Of somebody's words as many as tell what they are about. */
export const begun = (text: string): string => {
  const start = [...text.slice(0, 2 * MOST_SHOWN)].slice(0, MOST_SHOWN).join('');
  return start.length === text.length ? text : `${start}…`;
};

export function describeClaim(claim: Claim): ModelText {
  const what = claim.kind === 'message' ? modelText`[msg:${claim.subjectId}]` : modelText`[task:${claim.subjectId}]`;
  if (claim.status !== 'held') return modelText`${what} is ${claim.status}.`;
  const until = new Date(claim.leaseExpiresAt).toISOString();
  return modelText`You hold ${what} until ${until}. claimId: ${claim.claimId}, fence: ${claim.fence}. Report it with relay_complete.`;
}

export function describeSession({ agentId, provider, cwd, mode, sandbox }: Session): ModelText {
  return modelText`${agentId} runs: ${provider}${cwd === null ? '' : ` in ${cwd}`}, mode ${mode}${sandbox === 'none' ? '' : `, sandbox ${sandbox}`}. Send it messages as ${agentId}.`;
}

/** Labels, tags and names stay in the line of the one who has them. */
const oneLine = (text: string): string => text.replace(/\s+/gu, ' ');
