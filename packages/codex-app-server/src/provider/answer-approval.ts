import { RelayError } from 'agent-relay-protocol';
import type { ApprovalVerdict } from 'agent-relay-provider';
import type { z } from 'zod';
import { parseRequest, type ServerRequest } from '../app-server/server-requests.ts';
import { elicitation, userInput } from './answer-question.ts';
import { always, type CodexApproval, type CodexChoice, choice, choicesOf, other, placeInTurn, reasonOf } from './approval-choices.ts';
import { approvalSchemas, type FileUpdate, wordsOf } from './approval-schemas.ts';

export interface ApprovalContext {
  readonly cwd: string;
  /** The changes that an item is about: an approval of edits names only the item. */
  readonly changesOf: (itemId: string) => readonly FileUpdate[];
}

const {
  command: Command,
  fileChange: FileChange,
  permissions: Permissions,
  olderCommand: OlderCommand,
  olderPatch: OlderPatch,
} = approvalSchemas;

/**
 * Reads what Codex asks, with its own answers. What this does not know is refused, which Codex takes for a no. What holds for longer than this one use,
 * up to a rule in the user's settings, is among the answers only where Codex offers it, and only a person chooses it.
 */
export function readApproval(request: ServerRequest, context: ApprovalContext): CodexApproval {
  switch (request.method) {
    case 'item/commandExecution/requestApproval':
      return commandApproval(parseRequest(Command, request), context);
    case 'item/fileChange/requestApproval': {
      const params = parseRequest(FileChange, request);
      return editApproval({ ...params, changes: params.itemId ? context.changesOf(params.itemId) : [] }, context, decisions);
    }
    case 'item/permissions/requestApproval':
      return permissionsApproval(parseRequest(Permissions, request), context);
    case 'mcpServer/elicitation/request':
      return elicitation(parseRequest(approvalSchemas.elicitation, request));
    case 'item/tool/requestUserInput':
      return userInput(parseRequest(approvalSchemas.userInput, request));
    case 'execCommandApproval':
      return olderCommandApproval(parseRequest(OlderCommand, request), context);
    case 'applyPatchApproval':
      return olderPatchApproval(parseRequest(OlderPatch, request), context);
    default:
      throw new RelayError('unknown_method', `This client does not answer ${request.method}`);
  }
}

const decided = (decision: unknown) => always({ decision });
const decisions = { once: decided('accept'), session: decided('acceptForSession'), deny: decided('decline'), cancel: decided('cancel') };
const reviewed = {
  once: decided('approved'),
  session: decided('approved_for_session'),
  deny: (verdict: ApprovalVerdict) => ({ decision: { denied: { rejection: reasonOf(verdict) } } }),
  cancel: decided('abort'),
};

/** The no of whoever is not asked. */
const nobody: ApprovalVerdict = { outcome: 'denied', by: 'policy', message: 'This was not allowed.' };

const thisCommand = 'Allow exactly this until the session ends, also when a message asks for it';

function commandApproval(params: z.infer<typeof Command>, context: ApprovalContext): CodexApproval {
  const { command, reason, kind = 'command', networkApprovalContext: network } = params;
  const prefix = wordsOf(params.proposedExecpolicyAmendment);
  const question = {
    ...placeInTurn(params),
    kind: 'execute',
    title: titled(kind === 'writeStdin' ? 'Type into' : 'Run', command?.split('\n', 1)[0] ?? 'a command', reason),
    cwd: params.cwd ?? context.cwd,
    input: { command: command ?? '', ...(reason ? { reason } : {}), ...(network === undefined || network === null ? {} : { network }) },
  } as const;
  // Without the command nobody knows what they would allow, and what is typed into a running one is not told.
  const isKnown = Boolean(command) && kind === 'command';
  const rule = prefix && {
    id: 'allow-always',
    label: `Allow for ever, in every session: commands that begin with ${JSON.stringify(prefix)}`,
  };
  const lasting = rule ? [choice('allow_always', rule, decided({ acceptWithExecpolicyAmendment: { execpolicy_amendment: prefix } }))] : [];
  const choices = [
    ...choicesOf(decisions, { session: thisCommand }),
    ...lasting,
    ...params.proposedNetworkPolicyAmendments.map(networkChoice),
  ];
  return { question, use: other(question), choices: isKnown ? choices : [], deny: decisions.deny() };
}

function networkChoice({ host, action }: { readonly host: string; readonly action: 'allow' | 'deny' }, index: number): CodexChoice {
  const label = `${action === 'allow' ? 'Allow' : 'Deny'} for ever, in every session: the network host ${host}`;
  const answer = decided({ applyNetworkPolicyAmendment: { network_policy_amendment: { host, action } } });
  return choice(action === 'allow' ? 'allow_always' : 'deny', { id: `${action}-host-${index + 1}`, label }, answer);
}

interface AskedEdit extends Partial<Pick<z.infer<typeof FileChange>, 'turnId' | 'itemId' | 'reason'>> {
  readonly changes: readonly FileUpdate[];
  readonly grantRoot?: unknown;
}

function editApproval(asked: AskedEdit, { cwd }: ApprovalContext, vocabulary: typeof decisions | typeof reviewed): CodexApproval {
  const { changes, grantRoot, reason } = asked;
  const root = typeof grantRoot === 'string' && grantRoot !== '' ? grantRoot : null;
  const paths = changes.flatMap(({ path, kind }) => (kind.move_path ? [path, kind.move_path] : [path]));
  const shown = changes.map(({ path, kind, diff }) => ({ path, change: kind.type, moveTo: kind.move_path ?? null, diff: diff ?? null }));
  const title = titled('Edit', paths.join(', ') || (root ?? 'files'), reason);
  const { once, ...rest } = vocabulary;
  // With a root Codex asks for everything below it, whatever the answer is called.
  const session =
    root === null ? 'Allow to edit these files until the session ends' : `Allow to write below ${root} until the session ends`;
  const isKnown = paths.length > 0 && (root !== null || !grantRoot);
  return {
    question: { ...placeInTurn(asked), kind: 'edit', title, cwd, input: { changes: shown, ...(root === null ? {} : { below: root }) } },
    use: { kind: 'edit', name: title, paths: root === null ? paths : [...paths, root] },
    choices: isKnown ? choicesOf(root === null ? { once, ...rest } : rest, { session }) : [],
    deny: vocabulary.deny(nobody),
  };
}

function permissionsApproval(params: z.infer<typeof Permissions>, { cwd }: ApprovalContext): CodexApproval {
  const { permissions = {}, reason } = params;
  const asked = Object.fromEntries(Object.entries(permissions).filter(([, permission]) => permission !== null));
  const title = titled('More permissions', '', reason).trim();
  const question = { ...placeInTurn(params), kind: 'other', title, cwd: params.cwd ?? cwd, input: { permissions: asked } } as const;
  const granted = (scope: 'turn' | 'session') => always({ permissions: asked, scope });
  const deny = always({ permissions: {}, scope: 'turn' });
  const choices = choicesOf({ once: granted('turn'), session: granted('session'), deny }, { once: 'Allow until the turn ends' });
  return { question, use: other(question), choices: Object.keys(asked).length === 0 ? [] : choices, deny: deny() };
}

function olderCommandApproval(params: z.infer<typeof OlderCommand>, context: ApprovalContext): CodexApproval {
  const { callId, cwd, reason } = params;
  const command = wordsOf(params.command) ?? [];
  // Its words apart: joined, nobody could tell where one ends.
  const shown = command.map((word) => JSON.stringify(word)).join(' ');
  const question = {
    ...placeInTurn({ itemId: callId }),
    kind: 'execute',
    title: titled('Run', shown, reason),
    cwd: cwd ?? context.cwd,
    input: { command: shown, ...(reason ? { reason } : {}) },
  } as const;
  const choices = command.length === 0 ? [] : choicesOf(reviewed, { session: thisCommand });
  return { question, use: other(question), choices, deny: reviewed.deny(nobody) };
}

function olderPatchApproval(
  { callId, fileChanges, grantRoot, reason }: z.infer<typeof OlderPatch>,
  context: ApprovalContext,
): CodexApproval {
  const changes = Object.entries(fileChanges).map(([path, { type, move_path, ...change }]) => {
    const diff = change['unified_diff'] ?? change['content'];
    return { path, kind: { type, move_path }, diff: typeof diff === 'string' ? diff : null };
  });
  return editApproval({ itemId: callId, reason, changes, grantRoot }, context, reviewed);
}

const titled = (verb: string, what: string, reason: string | null | undefined): string => `${verb} ${what}${reason ? ` (${reason})` : ''}`;
