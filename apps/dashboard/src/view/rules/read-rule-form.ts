import type { CreateApprovalRule } from 'agent-relay-protocol';
import type { Fields } from '../form/read-fields.ts';

export const ruleKinds = [
  { id: 'execute', word: 'run a command' },
  { id: 'edit', word: 'write files' },
] as const;

const DAY_MS = 86_400_000;

/** Reads the form of a rule. What is left empty the question says that it is made from, where there is one. */
export function readRuleForm(fields: Fields, asked: Pick<CreateApprovalRule, 'agentId' | 'approvalId'>, now: number): CreateApprovalRule {
  const kind = asked.approvalId === undefined ? { kind: fields.oneOf('kind', ['execute', 'edit']) } : {};
  const command = commandWords(fields.text('command'));
  const days = Number(fields.text('days'));
  const maxUses = Number(fields.text('maxUses'));
  return {
    ...(asked.agentId === undefined ? whoseOf(fields.text('whose')) : asked),
    ...kind,
    ...fields.optional('name'),
    ...fields.optional('folder'),
    ...(command.length === 0 ? {} : { command }),
    ...(days > 0 ? { expiresAt: now + days * DAY_MS } : {}),
    ...(maxUses > 0 ? { maxUses } : {}),
  };
}

/** An agent by its name, or every agent with a tag. */
const whoseOf = (text: string): Pick<CreateApprovalRule, 'agentId' | 'tag'> =>
  text.startsWith('tag:') ? { tag: text.slice('tag:'.length) } : { agentId: text.replace(/^id:/u, '') };

/** The words of a command as they are typed; what stands in quotes is one. */
export const commandWords = (text: string): string[] =>
  [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/gu)].map(([, double, single, plain]) => double ?? single ?? plain ?? '');
