import type { Setting } from 'agent-relay-protocol';
import { useState } from 'react';
import { useLive, useMayCall, useMe } from '../../live/use-live.ts';
import { settingsView } from '../../relay/system.ts';
import { formatSpan } from '../format.ts';
import { Problem } from '../problem.tsx';

/** What the relay was started with, and where each value comes from. */
export function Configuration() {
  const { data, error, readAgain } = useLive(settingsView);
  const isKnown = useMe() !== undefined;
  const mayRead = useMayCall('system/settings');
  const [isOnlySet, setOnlySet] = useState(false);
  if (isKnown && !mayRead) return <p className="text-soft">The settings are for the owner.</p>;
  if (data === undefined) return error === null ? <p className="text-soft">Reading…</p> : <Problem error={error} onRetry={readAgain} />;
  const shown = data.settings.filter(({ source }) => !isOnlySet || source !== 'default');
  return (
    <>
      <p className="flex flex-wrap items-center gap-x-4 gap-y-1 text-soft text-xs">
        <span className="min-w-0 grow [overflow-wrap:anywhere]">
          {data.envFile === null ? 'No file of settings was read.' : `From ${data.envFile}, beside the environment and the command line.`}{' '}
          Changed where it is set; the relay reads it when it starts.
        </span>
        <label className="flex items-center gap-2 text-ink">
          <input type="checkbox" checked={isOnlySet} onChange={({ target }) => setOnlySet(target.checked)} />
          Only what was set
        </label>
      </p>
      {shown.length === 0 ? <p className="text-soft">Nothing was set: every value is the default.</p> : <Settings settings={shown} />}
    </>
  );
}

const Settings = ({ settings }: { readonly settings: readonly Setting[] }) => (
  <table className="w-full table-fixed text-xs">
    <thead className="text-left text-soft">
      <tr>
        <th className="py-1 pr-3 font-medium">Setting</th>
        <th className="w-1/4 py-1 pr-3 font-medium sm:w-2/5">Value</th>
        <th className="w-20 py-1 font-medium sm:w-24">From</th>
      </tr>
    </thead>
    <tbody>
      {settings.map((setting) => (
        <tr key={setting.name} className="border-line border-t align-baseline" data-setting={setting.name}>
          <th scope="row" className="py-1 pr-3 text-left font-mono font-normal [overflow-wrap:anywhere]">
            {setting.name}
          </th>
          <td className="py-1 pr-3 font-mono [overflow-wrap:anywhere]">
            <Value setting={setting} />
          </td>
          <td className={`py-1 ${setting.source === 'default' ? 'text-soft' : 'text-accent'}`}>{setting.source}</td>
        </tr>
      ))}
    </tbody>
  </table>
);

function Value({ setting: { name, value, isSecret, source } }: { readonly setting: Setting }) {
  if (isSecret) return <span className="font-sans text-soft">{source === 'default' ? 'not set' : 'set, and told to nobody'}</span>;
  if (value === null || value === '' || (Array.isArray(value) && value.length === 0))
    return <span className="font-sans text-soft">none</span>;
  if (typeof value === 'number' && name.endsWith('_MS')) return `${value} (${formatSpan(value)})`;
  return Array.isArray(value) ? value.join(', ') : typeof value === 'string' ? value : JSON.stringify(value);
}
