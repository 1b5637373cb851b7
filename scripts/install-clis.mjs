// Installs the pinned agent CLIs that the end-to-end tests run (about 1 min and 2.4 GB) into tools/agents.
import { agentsFolder, missingAgentClis } from './agent-clis.mjs';
import { installLocked } from './lib/npm-folder.mjs';

const seconds = await installLocked(agentsFolder, { title: 'Installing the pinned agent CLIs' });
const missing = missingAgentClis();
if (missing.length > 0) {
  console.error(`Not available for ${process.platform} ${process.arch}: ${missing.join(', ')}`);
  process.exit(1);
}
console.log(seconds > 0 ? `agent CLIs installed (${seconds.toFixed(1)} s)` : 'agent CLIs are installed');
