import { mayHandOutMail } from 'agent-relay-provider';

export interface RelayCallContext {
  readonly relayServers: ReadonlySet<string>;
  readonly isMailTurn: boolean;
}

interface Called {
  readonly server: string;
  readonly tool: string;
  readonly input: unknown;
}

/**
 * What becomes of a call of a relay tool: null when this is none. What a turn may do is settled when it begins, so what others wrote must not
 * come into a turn that has a person's rights: there the tool is not run, and `remark` tells the model how it gets its mail.
 */
export function judgeRelayCall(
  call: Called | undefined,
  { relayServers, isMailTurn }: RelayCallContext,
): { readonly remark: string | null } | null {
  if (call === undefined || !relayServers.has(call.server)) return null;
  if (isMailTurn || !mayHandOutMail(call.tool, call.input)) return { remark: null };
  return {
    remark: remarks.get(call.tool) ?? `${call.tool} was not run: it answers with words of others, and this turn is a person's.`,
  };
}

const remarks: ReadonlyMap<string, string> = new Map([
  [
    'relay_send',
    'relay_send was not run, and nothing was sent: do not wait for an answer in this turn. Send it without waitForAnswerMs; the answer comes to you as a message after this turn.',
  ],
  [
    'relay_inbox',
    "relay_inbox was not run: this turn is a person's. Your messages come to you by themselves, in turns of their own, when you end it.",
  ],
]);
