import { type AgentEvent, touchedFiles } from 'agent-relay-protocol';
import { realPathOf } from 'agent-relay-provider';

/** A look at the disk for each. */
const MOST = 64;
/** Of all of them together, as JSON. */
const LONGEST = 16 * 1024;

/** A question with where links of this machine lead the files that it names: only who asks here knows. */
export function withLinkedFiles(event: AgentEvent): AgentEvent {
  if (event.type !== 'approval.requested' || event.options.length === 0) return event;
  const linkedFiles = linkedFilesOf(event);
  return linkedFiles.length === 0 ? event : { ...event, linkedFiles };
}

/** Where links lead what a use of a tool would change, as `touchedFiles` names it; what is reached without links is left out. */
export function linkedFilesOf(use: Parameters<typeof touchedFiles>[0]): string[] {
  const files = (touchedFiles(use) ?? []).slice(0, MOST);
  const linked = [...new Set(files.map(whereItLeads))].filter((file) => file !== null).filter((file) => !files.includes(file));
  return JSON.stringify(linked).length > LONGEST ? [] : linked;
}

function whereItLeads(file: string): string | null {
  try {
    const real = realPathOf(file);
    return file.endsWith('/') && real !== '/' ? `${real}/` : real;
  } catch {
    return null; // a link that leads nowhere, or in a circle: writing through it is the system's to judge
  }
}
