import { expect, test } from 'vitest';
import { deviceName } from './push-device.ts';

test('a device is called by what its browser says of itself, and by nothing that it does not say', () => {
  const named = [
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
    'Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0',
    'another',
  ];
  expect(named.map(deviceName)).toEqual(['Chrome on Linux', 'Edge on Windows', 'Safari on iPhone', 'Firefox on Android', 'Browser']);
});
