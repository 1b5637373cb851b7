import { expect, test } from 'vitest';
import { ServerNews } from './server-news.ts';

const limits = (usedPercent: number, more: object = {}) => ({
  method: 'account/rateLimits/updated',
  params: { rateLimits: { primary: { usedPercent, windowDurationMins: 300, resetsAt: 1_800_000_000 }, ...more } },
});

test('a limit is told at each of its levels once, with its share and when it begins anew', () => {
  const news = new ServerNews();
  const told = [10, 81, 85, 96, 97, 100, 3, 80].map((percent) => news.translate(limits(percent)));
  expect(told.map((events) => events.length)).toEqual([0, 1, 0, 1, 0, 1, 0, 1]);
  expect(told[1]).toEqual([
    { type: 'quota.warning', message: '81 % of the Codex limit of 5 hours is used', usedPercent: 81, resetsAt: 1_800_000_000_000 },
  ]);
});

test('two windows are told apart, and a limit that is reached is told once', () => {
  const news = new ServerNews();
  const secondary = { usedPercent: 90, windowDurationMins: 7 * 1440 };
  const messages = (more: object) => news.translate(limits(90, more)).map((event) => ('message' in event ? event.message : ''));
  expect(messages({ secondary })).toEqual(['90 % of the Codex limit of 5 hours is used', '90 % of the Codex limit of 7 days is used']);
  const reached = { secondary, rateLimitReachedType: 'rate_limit_reached' };
  expect([messages(reached), messages(reached)]).toEqual([['A limit of the account is reached: rate limit reached'], []]);
});

test('warnings and deprecations of no thread are told once, and the rest is not', () => {
  const news = new ServerNews();
  const said = [
    { method: 'warning', params: { threadId: null, message: 'No sandbox here' } },
    { method: 'configWarning', params: { summary: 'Unknown key', details: null, path: '/c.toml' } },
    { method: 'deprecationNotice', params: { summary: 'Old flag', details: 'use the new one' } },
    { method: 'warning', params: { threadId: 'of somebody else', message: 'Not yours' } },
    { method: 'skills/changed', params: {} },
  ];
  const codes = () =>
    said.flatMap((each) => news.translate(each)).map((event) => ('code' in event ? `${event.code}: ${event.message}` : ''));
  expect([codes(), codes()]).toEqual([
    ['vendor_warning: No sandbox here', 'config_warning: Unknown key · /c.toml', 'deprecated: Old flag · use the new one'],
    [],
  ]);
});

test('what is new is told however much was told before', () => {
  const news = new ServerNews();
  const tell = (message: string) => news.translate({ method: 'warning', params: { message } }).length;
  for (let index = 0; index < 2_000; index += 1) tell(`warning ${index}`);
  expect([tell('one more'), tell('one more')]).toEqual([1, 0]);
});
