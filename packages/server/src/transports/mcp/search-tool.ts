import { type McpToolInput, RelayError, type SearchHit } from 'agent-relay-protocol';
import { ModelText, modelText, quoted } from 'agent-relay-wire';
import type { RelayHandlers } from '../../relay/contract/relay-contract.ts';
import type { ToolCaller } from './tool-caller.ts';

const HITS = 20;

/** What the caller may read of what was said and done. */
export async function searchTool(
  handlers: RelayHandlers,
  { since, limit = HITS, ...asked }: McpToolInput<'relay_search'>,
  { context }: ToolCaller,
): Promise<ModelText> {
  const from = since === undefined ? {} : { sinceAt: timeOf(since) };
  const { data, nextCursor, behind } = await handlers['search/find']({ ...asked, ...from, limit }, context);
  const notes = [
    ...(nextCursor === undefined ? [] : [modelText`There is more: the same with "before": "${nextCursor}".`]),
    ...(behind === 0 ? [] : [modelText`The newest ${behind} cannot be found yet: ask again in a moment.`]),
  ];
  return ModelText.join([...(data.length === 0 ? [modelText`Nothing found.`] : data.map(describeHit)), ...notes], '\n');
}

function timeOf(since: string): number {
  const at = Date.parse(since);
  if (at >= 0) return at;
  const message = 'This is no time: write it as 2026-03-01T08:00:00Z';
  throw new RelayError('validation_failed', `since: ${message}`, { issues: [{ path: 'since', message }] });
}

function describeHit(hit: SearchHit): ModelText {
  const found = quoted(hit.snippet.map(({ text }) => text).join(''));
  const at = new Date(hit.at).toISOString();
  // No mark of a message: what a search shows of one is not its delivery.
  if (hit.in === 'messages') return modelText`${at} message ${hit.id} from ${hit.from} to ${hit.to}: ${found}`;
  const what = [hit.type, ...(hit.tool === null ? [] : [hit.tool]), ...hit.files.map(({ path }) => path)].join(' ');
  return modelText`${at} ${hit.agentId} ${what}: ${found}`;
}
