import type { Wait } from './route.ts';

/** How long a request asks to be kept waiting, in milliseconds. */
export function waitIn({ field, ms = 0 }: Wait, request: object): number {
  if (field === undefined) return ms;
  const said: unknown = Reflect.get(request, field);
  if (typeof said === 'number') return Number.isFinite(said) ? said : 0;
  if (said === undefined || said === null || said === false) return 0;
  const inIt = typeof said === 'object' && 'timeoutMs' in said ? said.timeoutMs : undefined;
  return typeof inIt === 'number' && Number.isFinite(inIt) ? inIt : ms;
}
