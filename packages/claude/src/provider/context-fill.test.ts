import { describe, expect, test } from 'vitest';
import { AssistantFrame, ResultFrame } from '../stream-json/message-frames.ts';
import { ContextFill } from './context-fill.ts';

const said = (tokens: number, model = 'claude-opus-5-5') =>
  AssistantFrame.parse({
    type: 'assistant',
    message: { id: 'm', model, content: [], usage: { input_tokens: 10, cache_read_input_tokens: tokens - 20, output_tokens: 10 } },
  });
const result = (windows: Record<string, number>) =>
  ResultFrame.parse({
    type: 'result',
    modelUsage: Object.fromEntries(Object.entries(windows).map(([name, contextWindow]) => [name, { contextWindow }])),
  });
const warning = (usedTokens: number, contextWindow = 200_000) => ({ type: 'context.warning', usedTokens, contextWindow });

describe('how full the conversation is', () => {
  test('is told once when it becomes nearly full, and again after it was emptied', () => {
    const fill = new ContextFill();
    expect(fill.spoke(said(169_999))).toEqual([]);
    expect(fill.answered(result({ 'claude-opus-5-5': 200_000 }))).toEqual([]);
    expect(fill.spoke(said(170_000))).toEqual([warning(170_000)]);
    expect(fill.spoke(said(190_000))).toEqual([]);
    expect(fill.answered(result({ 'claude-opus-5-5': 200_000 }))).toEqual([]);
    expect(fill.spoke(said(30_000))).toEqual([]);
    expect(fill.spoke(said(180_000))).toEqual([warning(180_000)]);
  });

  test("is measured by the window of the conversation's own model, not by a sub-agent's", () => {
    const fill = new ContextFill();
    fill.spoke(said(180_000));
    expect(fill.answered(result({ 'claude-haiku-5': 200_000, 'claude-opus-5-5[1m]': 1_000_000 }))).toEqual([]);
    expect(fill.spoke(said(860_000))).toEqual([warning(860_000, 1_000_000)]);
  });

  test('is not told where Claude says nothing of it', () => {
    const fill = new ContextFill();
    expect(fill.spoke(AssistantFrame.parse({ type: 'assistant', message: { content: [] } }))).toEqual([]);
    expect(fill.answered(result({}))).toEqual([]);
  });
});
