import type { JsonSchema } from './component-schemas.ts';
import type { MediaTypes, OpenApiDocument, Operation, Parameter } from './document.ts';

export const docsStyle = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1.5rem; }
h2 { margin: 2rem 0 .5rem; font-size: 1.15rem; }
nav { display: flex; flex-wrap: wrap; gap: .25rem .9rem; }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .4rem 0; padding: .1rem .8rem; }
summary { cursor: pointer; padding: .4rem 0; }
summary b { display: inline-block; min-width: 4.5rem; font-size: .8rem; }
code, pre { font: .87em/1.45 ui-monospace, monospace; }
pre { overflow: auto; padding: .6rem; border: 1px solid var(--line); border-radius: .4rem; }
table { border-collapse: collapse; width: 100%; margin: .4rem 0; }
td, th { text-align: left; vertical-align: top; padding: .25rem .8rem .25rem 0; border-top: 1px solid var(--line); }
small { opacity: .75; }
`;

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escapeHtml = (text: string): string => text.replaceAll(/[&<>"]/gu, (character) => escapes[character] ?? character);
const code = (text: string): string => `<code>${escapeHtml(text)}</code>`;
/** Backticks are the only markup our own descriptions use. */
const prose = (text: string): string => escapeHtml(text).replaceAll(/`([^`]+)`/gu, '<code>$1</code>');

/** The document as one page that needs nothing but itself: no script, no other file, no network. */
export function docsPage(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))];
  const sections = tags.map((tag) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(tag));
    return `<h2 id="${tag}">${tag}</h2>${own.map(({ path, method, operation }) => operationBlock(path, method, operation)).join('')}`;
  });
  const schemas = Object.entries(document.components['schemas'] ?? {}).map(
    ([name, schema]) => `<details id="schema-${name}"><summary>${code(name)}</summary>${pre(schema)}</details>`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Agent Relay API ${escapeHtml(document.info['version'] ?? '')}</title>
<style>${docsStyle}</style>
<h1>Agent Relay API <small>${escapeHtml(document.info['version'] ?? '')}</small></h1>
<p>${prose(document.info['description'] ?? '')}</p>
<p>The same as a document for programs: <a href="/api/openapi.json">/api/openapi.json</a></p>
<nav>${[...tags, 'schemas'].map((tag) => `<a href="#${tag}">${tag}</a>`).join('')}</nav>
${sections.join('\n')}
<h2 id="schemas">schemas</h2>
${schemas.join('\n')}
</html>
`;
}

function operationBlock(path: string, method: string, operation: Operation): string {
  const { summary, description, parameters, requestBody, responses } = operation;
  const scope = operation['x-scope'];
  const facts = [
    scope === undefined || scope === null ? null : `scope ${code(scope)}`,
    operation.security.some((requirement) => Object.keys(requirement).length === 0) ? 'on loopback also without a token' : null,
    operation['x-method'] === undefined ? null : `WebSocket ${code(operation['x-method'])}`,
  ].filter((fact) => fact !== null);
  const answers = Object.entries(responses).filter(([, { content }]) => content !== undefined);
  return `<details id="${operation.operationId}"><summary><b>${method.toUpperCase()}</b> ${code(path)} ${prose(summary)}</summary>
<p><small>${facts.join(' · ')}</small></p>${description === undefined ? '' : `<p>${prose(description)}</p>`}
${parameters.length === 0 ? '' : `<table><tr><th>parameter<th>in<th>what${parameters.map(parameterRow).join('')}</table>`}
${requestBody ? `<p>Body</p>${mediaBlock(requestBody.content)}` : ''}
${answers.map(([status, { description: text = '', content = {} }]) => `<p>${code(status)} ${prose(text)}</p>${mediaBlock(content)}`).join('')}
</details>`;
}

const parameterRow = ({ name, in: place, required, description = '', schema }: Parameter): string =>
  `<tr><td>${code(name)}${required ? ' *' : ''}<td>${place}<td>${prose(description)} ${schemaLine(schema)}`;

const mediaBlock = (content: MediaTypes): string =>
  Object.entries(content)
    .map(
      ([type, { schema }]) =>
        (type === 'application/json' ? '' : `<p>${code(type)}</p>`) + (schema.$ref ? schemaLine(schema) : pre(schema)),
    )
    .join('');

function schemaLine(schema: JsonSchema): string {
  const name = schema.$ref?.split('/').at(-1);
  if (name !== undefined) return `<a href="#schema-${name}">${code(name)}</a>`;
  return code(JSON.stringify(schema));
}

/** Names of other schemas lead to them. */
const pre = (value: unknown): string =>
  `<pre>${escapeHtml(JSON.stringify(value, null, 2)).replaceAll(/#\/components\/schemas\/(\w+)/gu, '<a href="#schema-$1">$1</a>')}</pre>`;
