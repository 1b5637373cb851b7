import { common, createLowlight } from 'lowlight';

/** Some text, and the class that colours it; empty for what has none. */
export interface CodePiece {
  readonly text: string;
  readonly look: string;
}

/** What code says, line by line. `name`: of its language, or of a file in it; null for a language that is not known, and for too much of it. */
export type Highlight = (code: string, name: string) => readonly (readonly CodePiece[])[] | null;

/** More is read by a program, and would keep the page waiting. */
const LIMIT = 50_000;

const looks: Readonly<Record<string, string>> = {
  keyword: 'text-code-keyword',
  literal: 'text-code-keyword',
  name: 'text-code-keyword',
  section: 'text-code-keyword',
  'selector-tag': 'text-code-keyword',
  'template-tag': 'text-code-keyword',
  string: 'text-code-string',
  regexp: 'text-code-string',
  link: 'text-code-string',
  code: 'text-code-string',
  number: 'text-code-number',
  symbol: 'text-code-number',
  bullet: 'text-code-number',
  comment: 'text-code-comment',
  quote: 'text-code-comment',
  doctag: 'text-code-comment',
  meta: 'text-code-comment',
  title: 'text-code-title',
  'selector-id': 'text-code-title',
  'selector-class': 'text-code-title',
  type: 'text-code-type',
  built_in: 'text-code-type',
  attr: 'text-code-type',
  attribute: 'text-code-type',
  property: 'text-code-type',
  variable: 'text-code-type',
  'template-variable': 'text-code-type',
};

interface HighlightNode {
  readonly type: string;
  readonly value?: string;
  readonly properties?: { readonly className?: unknown };
  readonly children?: readonly HighlightNode[];
}

/** Made once: the languages take longer than most code that is shown. */
const lowlight = createLowlight(common);

export const highlight: Highlight = (code, name) => {
  const language = languageIn(name);
  if (language === '' || code.length > LIMIT || !lowlight.registered(language)) return null;
  return linesOf(piecesOf(lowlight.highlight(language, code), ''));
};

/** `ts` for `ts`, `src/a.ts` and `TS`; what a file without an ending is called. */
const languageIn = (name: string): string => name.replaceAll('\\', '/').split('/').at(-1)?.split('.').at(-1)?.toLowerCase() ?? '';

function piecesOf({ type, value = '', properties, children = [] }: HighlightNode, around: string): readonly CodePiece[] {
  if (type === 'text') return [{ text: value, look: around }];
  const [first] = Array.isArray(properties?.className) ? properties.className : [];
  const look = looks[String(first).replace(/^hljs-/u, '')] ?? around;
  return children.flatMap((child) => piecesOf(child, look));
}

function linesOf(pieces: readonly CodePiece[]): readonly (readonly CodePiece[])[] {
  const lines: CodePiece[][] = [[]];
  for (const { text, look } of pieces) {
    for (const [index, part] of text.split('\n').entries()) {
      if (index > 0) lines.push([]);
      if (part !== '') lines.at(-1)?.push({ text: part, look });
    }
  }
  return lines;
}
