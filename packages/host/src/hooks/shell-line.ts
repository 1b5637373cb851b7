import { fillText, type HookFields } from 'agent-relay-protocol';

export const environmentName = (field: string): string => `HOOK_${field.replace(/[A-Z]/gu, (letter) => `_${letter}`).toUpperCase()}`;

/**
 * A line for a POSIX shell in which each field is a variable of its environment, quoted where it stands: the shell never reads what a field says.
 * In single quotes, where it would be a text, the quotes are closed around it.
 */
export function hookShellLine(line: string, fields: HookFields): string {
  let quote: '"' | "'" | null = null;
  let made = '';
  for (let at = 0; at < line.length; ) {
    const character = line.charAt(at);
    const [whole, name = ''] = /^\$\{([a-zA-Z][a-zA-Z0-9]*)\}/u.exec(line.slice(at, at + 40)) ?? [];
    if (whole !== undefined && Object.hasOwn(fields, name)) {
      const variable = `\${${environmentName(name)}}`;
      made += quote === '"' ? variable : quote === "'" ? `'"${variable}"'` : `"${variable}"`;
      at += whole.length;
      continue;
    }
    if (character === '\\' && quote !== "'") {
      made += line.slice(at, at + 2);
      at += 2;
      continue;
    }
    if ((character === '"' || character === "'") && (quote === null || quote === character)) quote = quote === null ? character : null;
    made += character;
    at += 1;
  }
  return made;
}

export const hasPlaceholder = (line: string, fields: HookFields): boolean => fillText(line, fields) !== line;

/** The fields as variables of a command's environment. */
export const fieldVariables = (fields: HookFields): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [environmentName(name), value]));
