import { existsSync } from 'node:fs';
import { defineConfig } from 'tsup';
import { packageBuild } from '../../tsup.base.ts';

// A checkout whose dashboard was not built gets a relay that says so.
const dashboard = '../../apps/dashboard/dist';
const assets = existsSync(dashboard) ? { dashboard } : {};

export default defineConfig(packageBuild(['index', 'testing', 'cli'], { assets }));
