import type { Hook } from 'agent-relay-protocol';
import { useCommand } from '../../live/use-command.ts';
import { useMayCall } from '../../live/use-live.ts';
import { type HookSource, lastRunOf } from '../../relay/hooks.ts';
import { Ago } from '../ago.tsx';
import { ConfirmButton } from '../confirm-button.tsx';
import { EditOwnHook } from './edit-own-hook.tsx';
import { RunDetail } from './hook-run.tsx';
import { hookActionWords, outcomeLook, runWords, triggerWords, whomWords } from './hook-words.ts';

interface HookRowProps {
  readonly hook: Hook;
  readonly source: HookSource;
  readonly onChange: () => void;
}

/** A hook: when it does what, how it went last, and the means to try it. */
export function HookRow({ hook, source, onChange }: HookRowProps) {
  const { name, trigger, action, does } = hook;
  const mayTry = useMayCall('hooks/test');
  const last = lastRunOf(source, name);
  const trial = useCommand((relay) => relay.hooks.test({ name, ...(hook.nodeId === null ? {} : { node: hook.nodeId }) }));
  return (
    <li className="grid gap-1 border-line border-t py-2 first:border-t-0" data-hook={name}>
      <div className="flex flex-wrap items-start gap-x-3 gap-y-1">
        <div className="min-w-0 grow basis-56">
          <p className="flex flex-wrap items-baseline gap-x-2">
            <span className="font-medium [overflow-wrap:anywhere]">{name}</span>
            <span className="text-soft text-xs">
              {triggerWords(trigger)}
              {hook.nodeId === null ? '' : ` · ${whomWords(hook)}`}
            </span>
          </p>
          <p className="text-xs [overflow-wrap:anywhere]">
            <span className="text-soft">{hookActionWords(action)}</span> <code className="font-mono">{does}</code>
          </p>
          <p className="text-soft text-xs">
            {last === undefined ? (
              `has not run since the ${hook.nodeId === null ? 'relay' : 'machine'} was started`
            ) : (
              <>
                <span className={outcomeLook(last.outcome).tone}>{runWords(last)}</span> · <Ago at={last.at} />
              </>
            )}
          </p>
        </div>
        {mayTry && trial.output === undefined ? (
          <ConfirmButton
            word="Try it"
            label={`Try it: ${name}`}
            confirmWord={action === 'relay' ? 'Shows what it would send: try' : 'Really does it, with an example: try'}
            command={trial}
          />
        ) : null}
        {hook.nodeId === null && source.fault === null ? <ChangeOwn hook={hook} onChange={onChange} /> : null}
      </div>
      {trial.output === undefined ? null : (
        <div role="status" className="grid gap-1 rounded-lg border border-line p-2.5">
          <p className="flex flex-wrap items-baseline gap-x-3 text-xs">
            <span className={outcomeLook(trial.output.outcome).tone}>Tried: {runWords(trial.output)}</span>
            <span className="grow" />
            <button type="button" className="text-accent hover:underline" onClick={trial.reset}>
              Close
            </button>
          </p>
          <RunDetail run={trial.output} />
        </div>
      )}
    </li>
  );
}

/** What may be done with a hook of the relay's own. */
function ChangeOwn({ hook, onChange }: Pick<HookRowProps, 'hook' | 'onChange'>) {
  const { name } = hook;
  const mayRemove = useMayCall('hooks/remove');
  const remove = useCommand((relay) => relay.hooks.remove({ name }), onChange);
  return (
    <>
      <EditOwnHook hook={hook} onDone={onChange} />
      {mayRemove ? <ConfirmButton word="Remove" label={`Remove ${name}`} confirmWord="Take it out of the file" command={remove} /> : null}
    </>
  );
}
