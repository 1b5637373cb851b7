// Chromium for the browser tests.
import { findChromium } from '../chromium.mjs';
import { provide } from './debian-install.mjs';

export const provideChromium = () =>
  provide({ name: 'Chromium', packages: ['chromium'], isThere: () => findChromium() !== undefined, tests: 'the browser tests' });
