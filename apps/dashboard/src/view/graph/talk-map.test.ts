import { expect, test } from 'vitest';
import { fieldFor } from './talk-map.tsx';

test('names keep their size and stay inside, however narrow the window is', () => {
  for (const width of [0, 280, 374, 500, 639, 640, 1_400]) {
    const field = fieldFor(width);
    // Drawn point for point, or larger.
    expect([width, field.width <= Math.max(width, 280)]).toEqual([width, true]);
    const longest = field.letters * 7.5 + 26;
    expect([width, field.width / 2 + field.radius.x + longest <= field.width, field.letters >= 10]).toEqual([width, true, true]);
    expect(field.radius.x).toBeGreaterThan(30);
  }
  expect(fieldFor(374).height).toBeGreaterThan(374);
  expect(fieldFor(1_400)).toEqual({ width: 640, height: 640, radius: { x: 188, y: 230 }, letters: 14 });
});
