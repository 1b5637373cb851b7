import { RELAY_VERSION, RelayError } from 'agent-relay-protocol';
import { spelledOut } from 'agent-relay-wire';
import { Command } from 'commander';
import { installInProject, installPlugin, uninstallPlugin } from './install/install.ts';
import { pluginId } from './install/marketplace.ts';

interface Settings {
  readonly command: string;
  readonly project?: string | true;
}

/** The command line of `agent-relay-plugin`. Answers the exit code: 0 done, 1 refused, 2 wrong settings. */
export async function runCli(argv: readonly string[]): Promise<number> {
  const program = new Command('agent-relay-plugin')
    .description('Makes sessions of Claude Code agents of an Agent Relay.')
    .version(RELAY_VERSION)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  program
    .command('install')
    .description('Install the plugin in Claude Code for this user, or bring it to this version; sessions have it from their next start on')
    .option('--command <path>', 'the Claude Code to install it in', 'claude')
    .option('--project [folder]', "write it into a project's .claude/settings.json instead, for everybody who works there")
    .action(async ({ command, project }: Settings) => {
      if (project !== undefined) {
        const { path } = installInProject(project === true ? process.cwd() : project);
        return tell(
          `${path} names the plugin. Claude Code does not install by itself what a project names: whoever has trusted the folder runs, in it,\nclaude plugin install ${pluginId} --scope project`,
        );
      }
      const { folder } = await installPlugin({ env: process.env, command });
      tell(`Installed: the next session of Claude Code is an agent of the relay. The plugin lies in ${folder}.`);
    });
  program
    .command('uninstall')
    .description('Take the plugin out of Claude Code again')
    .option('--command <path>', 'the Claude Code to take it out of', 'claude')
    .action(async ({ command }: Settings) => {
      const { plugin, marketplace, folder } = await uninstallPlugin({ env: process.env, command });
      tell(plugin || marketplace || folder ? 'Uninstalled: sessions that run keep it to their end.' : 'There was nothing to uninstall.');
    });
  try {
    await program.parseAsync([...argv]);
    return 0;
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    process.stderr.write(spelledOut(`agent-relay-plugin: ${error.message}\n`));
    return error.code === 'validation_failed' ? 2 : 1;
  }
}

/** What others wrote is in it: it gives the terminal no orders. */
const tell = (sentence: string): void => void process.stdout.write(spelledOut(`${sentence}\n`));
