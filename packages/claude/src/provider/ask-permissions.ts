import type { RequestHandlers } from '../stream-json/request-desk.ts';
import { askAboutTool } from './ask-about-tool.ts';
import type { QuestionParts } from './ask-person.ts';

/** Asks a person about each permission that Claude asks for. */
export function askPermissions(cwd: string, parts: QuestionParts): RequestHandlers {
  return {
    onPermission: (request, { signal }) => askAboutTool({ request, relayServers: [], cwd, offersRule: true }, parts, signal),
  };
}
