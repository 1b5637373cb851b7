import { createHash } from 'node:crypto';
import { writeAnswer } from '../http/answer.ts';
import type { Endpoint } from '../http/endpoint.ts';
import { docsPage, docsStyle } from './docs-page.ts';
import { type OpenApiDocument, openApiDocument } from './document.ts';

/** The API as a document and as a page. Both are the same for everybody and tell nothing of this relay, so they ask for no token. */
export function openApiEndpoints(): { readonly document: Endpoint; readonly page: Endpoint } {
  // Made when somebody asks: a relay that nobody asks starts without it.
  let made: { readonly document: OpenApiDocument; readonly page: string } | undefined;
  const make = () => {
    const document = openApiDocument();
    return { document, page: docsPage(document) };
  };
  return {
    document: {
      methods: ['GET', 'HEAD'],
      serve: async ({ response }) => {
        made ??= make();
        writeAnswer(response, { status: 200, body: made.document });
      },
    },
    page: {
      methods: ['GET', 'HEAD'],
      serve: async ({ response }) => {
        made ??= make();
        response.writeHead(200, { ...pageHeaders, 'content-length': Buffer.byteLength(made.page) });
        response.end(made.page);
      },
    },
  };
}

const styleHash = createHash('sha256').update(docsStyle).digest('base64');

const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  // Nothing but its own style: no script at all, nothing fetched, in nobody's frame.
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};
