import { renderToStaticMarkup } from 'react-dom/server';
import { expect, test } from 'vitest';
import { hostOf, Markdown } from './markdown.tsx';

const markup = (text: string): string => renderToStaticMarkup(<Markdown text={text} />);
const words = (text: string): string => markup(text).replace(/<[^>]*>/gu, '');

test('what agents write as Markdown looks like it', () => {
  const html = markup('# Done\n\n- **two** `tests`\n- [ ] one left\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```ts\nconst a = 1 < 2;\n```');
  for (const part of ['<strong>two</strong>', '<code', '<li', '☐', '<td', 'const a = 1 &lt; 2;']) expect(html).toContain(part);
  // No heading of the page's own.
  expect(html).not.toMatch(/<h\d/u);
});

test('no HTML of an agent becomes HTML, no picture is fetched, and a link shows where it leads', () => {
  const html = markup(
    '<img src=x onerror=alert(1)> a <b>b</b>\n\n<script>alert(1)</script>\n\n![cat](https://evil.example/cat.png)\n\n[relay](https://evil.example/login)',
  );
  expect(html).not.toMatch(/<(?:img|b|script)[ >]/u);
  expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  expect(words('[relay](https://evil.example/login)')).toBe('relay (evil.example)');
  expect(words('![cat](https://evil.example/cat.png)')).toBe('picture: cat (evil.example)');
});

test('what leads to no page is text', () => {
  expect(markup('[x](javascript:alert(1))')).not.toContain('href');
  expect(words('[x](javascript:alert(1))')).toBe('x (javascript:alert(1))');
  expect([hostOf('https://a.example:8/b'), hostOf('data:text/html,x'), hostOf('/messages')]).toEqual(['a.example:8', null, null]);
});

test('signs that HTML has its own words for are shown once', () => {
  expect(markup('a < b && "c"')).toContain('a &lt; b &amp;&amp; &quot;c&quot;');
});
