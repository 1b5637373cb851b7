// relay-connect with the scripted vendor instead of the real ones: the same command line, a process of its own.
import { ScriptedProvider } from '../../host/test/scripted-provider.ts';
import { runCli } from '../src/run-cli.ts';

const provider = new ScriptedProvider();
if (process.env['SCRIPTED_RESUMES'] === '1') provider.resumes = true;
process.exit(await runCli(process.argv, [provider]));
