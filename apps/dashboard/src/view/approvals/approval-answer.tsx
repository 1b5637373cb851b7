import type { ApprovalOption, PendingApproval, RouteRequest } from 'agent-relay-protocol';
import { useEffect, useRef, useState } from 'react';
import type { Command } from '../../live/use-command.ts';
import { ActButton } from '../act-button.tsx';
import { Ago } from '../ago.tsx';
import { Problem } from '../problem.tsx';
import { ReasonButton } from '../reason-button.tsx';
import { mayBeRule, NewRule } from '../rules/new-rule.tsx';
import { ApprovalFields, EditedInput } from './approval-form.tsx';
import { optionsOf, visible } from './approval-words.ts';
import { readAnswerForm } from './read-answer-form.ts';

interface AnswerProps {
  readonly approval: PendingApproval;
  readonly answer: Command<RouteRequest<'approvals/resolve'>, string | null>;
}

/** What a person may answer: its vendor's own options, with what it asks in words, and as long as there is time. */
export function AnswerBar({ approval, answer }: AnswerProps) {
  const { agentId: id, approvalId, title, form = [], input, isEditable, expiresAt } = approval;
  const filledIn = useRef<HTMLFormElement>(null);
  const [isEditing, setEditing] = useState(false);
  const [isNoJson, setNoJson] = useState(false);
  const isReady = useIsReady();
  const [said, setSaid] = useState('');
  const { yes, mainYes, plainNo, otherNos } = optionsOf(approval);
  const give = (option: ApprovalOption) => {
    const filled = readOrNull(() => readAnswerForm(new FormData(filledIn.current ?? undefined), form));
    setNoJson(filled === null);
    if (filled === null) return;
    setSaid(option.label);
    answer.run({ id, approvalId, ...named(option), ...filled });
  };
  const refuse = (option: ApprovalOption, message: string | null) => {
    setSaid(option.label);
    answer.run({ id, approvalId, ...named(option), ...(message === null ? {} : { message }) });
  };
  return (
    <>
      {answer.isPending ? <Given said={said} /> : null}
      {/* What was filled in is there again should the relay not take it. */}
      <div data-answer className="grid gap-2" hidden={answer.isPending}>
        <form ref={filledIn} className="grid gap-2 empty:hidden" onSubmit={(event) => event.preventDefault()}>
          <ApprovalFields form={form} />
          {isEditing && input !== undefined ? <EditedInput input={input} /> : null}
        </form>
        <div className="flex min-h-7 flex-wrap items-center gap-2">
          {yes.map((option) => (
            <OptionButton key={option.id} option={option} title={title} isMain={option === mainYes} isBlocked={!isReady} onPress={give} />
          ))}
          <ReasonButton
            word={plainNo.label}
            label={`${plainNo.label} ${title}`}
            hint="Why, or what to do instead? The agent reads it; may stay empty"
            keepWord="Not yet"
            isPending={!isReady}
            onReason={(message) => refuse(plainNo, message)}
          />
          {otherNos.map((option) => (
            <OptionButton key={option.id} option={option} title={title} isBlocked={!isReady} onPress={() => refuse(option, null)} />
          ))}
          {isEditable && mayBeEdited(input) && !isEditing ? (
            <button type="button" className="button px-2.5 py-1 text-xs" onClick={() => setEditing(true)}>
              Change it
            </button>
          ) : null}
          {mayBeRule(approval) ? <NewRule asked={approval} /> : null}
          {expiresAt === undefined ? null : (
            <span className="text-soft text-xs">
              denied <Ago at={expiresAt} every={10_000} />
            </span>
          )}
          <Outcome isNoJson={isNoJson} answer={answer} />
        </div>
      </div>
    </>
  );
}

/** Why it was not taken, or what is to be known of what was. */
const Outcome = ({ isNoJson, answer }: Pick<AnswerProps, 'answer'> & { readonly isNoJson: boolean }) => (
  <>
    {isNoJson ? (
      <p role="alert" className="text-bad text-xs">
        What shall run instead is no JSON.
      </p>
    ) : null}
    <Problem error={answer.error} />
    {answer.output ? (
      <p role="status" className="text-warn text-xs">
        {answer.output}
      </p>
    ) : null}
  </>
);

/** What was pressed counts as said while the relay is told. */
const Given = ({ said }: { readonly said: string }) => (
  <p className="min-h-7 pt-1 text-soft text-xs" role="status">
    You said: <span className="text-ink">{visible(said)}</span>
  </p>
);

/** A long one is here only in part. */
const mayBeEdited = (input: PendingApproval['input']): boolean => typeof input === 'object' && input !== null;

interface OptionButtonProps {
  readonly option: ApprovalOption;
  readonly title: string;
  readonly isMain?: boolean;
  readonly isBlocked: boolean;
  readonly onPress: (option: ApprovalOption) => void;
}

function OptionButton({ option, title, isMain = false, isBlocked, onPress }: OptionButtonProps) {
  const label = visible(option.label);
  return (
    <ActButton
      aria-label={`${label}: ${title}`}
      className={`button px-2.5 py-1 text-xs ${isMain ? 'button-main' : ''}`}
      isBusy={isBlocked}
      onClick={() => onPress(option)}
    >
      {label}
    </ActButton>
  );
}

/** The yes and no that every relay and machine knows go without a name. */
const named = ({ id, outcome }: ApprovalOption): Pick<RouteRequest<'approvals/resolve'>, 'outcome' | 'optionId'> =>
  id === outcome && (outcome === 'allow' || outcome === 'deny') ? { outcome } : { optionId: id };

function readOrNull<Value>(read: () => Value): Value | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** A question that has just appeared takes no answer: the press was for what was in its place. */
function useIsReady(afterMs = 500): boolean {
  const [isReady, setReady] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setReady(true), afterMs);
    return () => clearTimeout(timer);
  }, [afterMs]);
  return isReady;
}
