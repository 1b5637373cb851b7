import { marked, type Token, type Tokens } from 'marked';
import { Fragment, type ReactNode, useMemo } from 'react';
import { CodeText } from './code/code-text.tsx';

/**
 * Text as its Markdown says it should look. Nothing of it becomes HTML of its own: a tag is shown as it was written, a picture is a link to it,
 * and a link shows where it leads.
 */
export function Markdown({ text }: { readonly text: string }) {
  const tokens = useMemo(() => marked.lexer(text, { gfm: true, breaks: true }), [text]);
  return <div className="markdown grid min-w-0 grid-cols-[minmax(0,1fr)] gap-2 [overflow-wrap:anywhere]">{tokens.map(toBlock)}</div>;
}

const toBlock = (token: Token, index: number): ReactNode => <Fragment key={index}>{blockOf(token)}</Fragment>;
const toInline = (token: Token, index: number): ReactNode => <Fragment key={index}>{inlineOf(token)}</Fragment>;
const inlines = (token: Token): ReactNode => ('tokens' in token && token.tokens ? token.tokens.map(toInline) : plain(token));

function blockOf(token: Token): ReactNode {
  switch (token.type) {
    case 'space':
    case 'def':
      return null;
    case 'heading':
      // The page's own headings are above it: it is no heading of the page.
      return <p className={token['depth'] <= 2 ? 'font-semibold text-base' : 'font-semibold'}>{inlines(token)}</p>;
    case 'code':
      return <Code text={token['text']} language={languageIn(token['lang'])} />;
    case 'blockquote':
      return <blockquote className="grid gap-2 border-line border-l-2 pl-3 text-soft">{(token.tokens ?? []).map(toBlock)}</blockquote>;
    case 'list':
      return <List list={token as Tokens.List} />; // as its type says
    case 'table':
      return <Table table={token as Tokens.Table} />; // as its type says
    case 'hr':
      return <hr className="border-line" />;
    case 'paragraph':
    case 'text':
      return <p>{inlines(token)}</p>;
    default:
      return <p className="whitespace-pre-wrap">{plain(token)}</p>;
  }
}

function inlineOf(token: Token): ReactNode {
  switch (token.type) {
    case 'strong':
      return <strong>{inlines(token)}</strong>;
    case 'em':
      return <em>{inlines(token)}</em>;
    case 'del':
      return <del>{inlines(token)}</del>;
    case 'codespan':
      return <code className="rounded bg-raised px-1 py-px font-mono text-[0.92em]">{token['text']}</code>;
    case 'br':
      return <br />;
    case 'link':
      return <Target href={token['href']}>{inlines(token)}</Target>;
    case 'image':
      return <Target href={token['href']}>picture: {token['text']}</Target>;
    case 'text':
    case 'escape':
      return inlines(token);
    default:
      return plain(token);
  }
}

/** What was written, as it was written. */
const plain = (token: Token): string => ('text' in token && token.type !== 'html' ? String(token.text) : token.raw);

/** A link that says where it leads; one that leads to no page is only text. */
function Target({ href, children }: { readonly href: string; readonly children: ReactNode }) {
  const where = hostOf(href);
  if (where === null) {
    return (
      <>
        {children} ({href})
      </>
    );
  }
  return (
    <a href={href} target="_blank" rel="noopener noreferrer" title={href} className="text-accent underline">
      {children}
      <span className="text-soft no-underline"> ({where})</span>
    </a>
  );
}

export function hostOf(href: string): string | null {
  const url = URL.parse(href);
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') ? url.host : null;
}

/** The first word behind the fence; null where there is none. */
const languageIn = (info: unknown): string | null => (typeof info === 'string' && /^\s*[^\s{]+/u.exec(info)?.[0].trim()) || null;

const Code = ({ text, language }: { readonly text: string; readonly language: string | null }) => (
  <pre
    className="max-h-96 overflow-auto whitespace-pre-wrap rounded-lg border border-line bg-raised px-3 py-2 font-mono text-xs"
    data-code={language}
  >
    <CodeText text={text} name={language} />
  </pre>
);

function List({ list }: { readonly list: Tokens.List }) {
  const items = list.items.map((item, index) => (
    <li key={index} className={item.task ? 'list-none' : ''}>
      {item.task ? <span className="text-soft">{item.checked ? '☑ ' : '☐ '}</span> : null}
      {item.tokens.map((token, place) => (token.type === 'text' ? toInline(token, place) : toBlock(token, place)))}
    </li>
  ));
  const look = 'grid gap-0.5 pl-5';
  return list.ordered ? (
    <ol className={`list-decimal ${look}`} start={Number(list.start)}>
      {items}
    </ol>
  ) : (
    <ul className={`list-disc ${look}`}>{items}</ul>
  );
}

const Table = ({ table }: { readonly table: Tokens.Table }) => (
  <table className="block max-w-full overflow-x-auto text-xs">
    <thead>
      <tr>
        {table.header.map((cell, column) => (
          <th key={column} className="border border-line px-2 py-1 text-left font-medium">
            {cell.tokens.map(toInline)}
          </th>
        ))}
      </tr>
    </thead>
    <tbody>
      {table.rows.map((row, line) => (
        <tr key={line}>
          {row.map((cell, column) => (
            <td key={column} className="border border-line px-2 py-1">
              {cell.tokens.map(toInline)}
            </td>
          ))}
        </tr>
      ))}
    </tbody>
  </table>
);
