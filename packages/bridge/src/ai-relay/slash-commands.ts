/** What becomes of a text that begins with a slash. */
export type SlashCommand =
  | { readonly type: 'text' }
  /** The conversation begins anew. */
  | { readonly type: 'clear' }
  | { readonly type: 'refused'; readonly reason: string };

/** Gemini CLI takes these in the protocol that it is spoken to in; any other it would read as words. */
const geminis = new Set(['memory', 'extensions', 'init', 'restore', 'about', 'help']);

/** `/clear` is done by the bridge, for every agent; what an agent has itself is passed on; a command that it would take for words is refused by name. */
export function slashCommand(provider: string, text: string): SlashCommand {
  const [, name] = /^\/([a-z][\w:-]*)(?:\s|$)/u.exec(text.trim()) ?? [];
  if (name === undefined) return { type: 'text' };
  if (name === 'clear' || name === 'new') return { type: 'clear' };
  if (provider === 'claude' || (provider === 'gemini' && geminis.has(name))) return { type: 'text' };
  return { type: 'refused', reason: `${provider} has no command /${name} here` };
}
