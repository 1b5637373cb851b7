import type { Task } from 'agent-relay-protocol';
import { asText } from 'agent-relay-protocol';

type Json = NonNullable<Task['result']> | null;

/** Whatever a program said: text as text, a percentage as a bar, the rest as it was written. */
export function JsonView({ value }: { readonly value: Json }) {
  if (typeof value === 'string') return <p className="whitespace-pre-wrap [overflow-wrap:anywhere]">{value}</p>;
  if (typeof value === 'number' || typeof value === 'boolean' || value === null)
    return <code className="font-mono text-xs">{String(value)}</code>;
  return (
    <pre className="max-h-80 overflow-auto whitespace-pre-wrap [overflow-wrap:anywhere] rounded-lg bg-raised p-2.5 font-mono text-xs">
      {JSON.stringify(value, null, 2)}
    </pre>
  );
}

/** How far something is: a bar when it says a percentage, with what else it says. */
export function ProgressView({ value }: { readonly value: Json }) {
  const percent = percentOf(value);
  if (percent === null) return <JsonView value={value} />;
  const note = noteOf(value);
  return (
    <div className="grid gap-1">
      <div className="flex items-center gap-2">
        <progress value={percent} max={100} aria-label="Progress" className="h-1.5 w-40" />
        <span className="text-soft text-xs">{Math.round(percent)} %</span>
      </div>
      {note === null ? null : <p className="[overflow-wrap:anywhere]">{note}</p>}
    </div>
  );
}

/** A number is a percentage, and so is a field that is called so. */
export function percentOf(value: Json): number | null {
  const number = isObject(value) ? (value['percent'] ?? value['progress']) : value;
  return typeof number === 'number' && number >= 0 && number <= 100 ? number : null;
}

/** The words beside the percentage. */
export function noteOf(value: Json): string | null {
  if (!isObject(value)) return null;
  const rest = Object.entries(value).filter(([name]) => name !== 'percent' && name !== 'progress');
  const words = rest.map(([name, said]) => (name === 'note' || name === 'message' ? asText(said) : `${name}: ${JSON.stringify(said)}`));
  return words.length === 0 ? null : words.join(' · ');
}

/** Progress in one line, for a list. */
export function progressLine(value: Json): string {
  const percent = percentOf(value);
  if (percent !== null) return [`${Math.round(percent)} %`, noteOf(value)].filter(Boolean).join(' · ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const isObject = (value: Json): value is Extract<Json, Readonly<Record<string, unknown>>> & object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
