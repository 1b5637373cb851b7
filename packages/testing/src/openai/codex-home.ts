import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface CodexHomeOptions {
  /** Whether each thread keeps the settings of two shells for its commands, as it does by itself: two thirds of what a thread costs to start. */
  readonly shellSnapshots?: boolean;
}

/**
 * Writes the `config.toml` with which Codex works offline against a fake endpoint. The model is pinned: it is the newest whose tools are
 * plain calls, and leaving it to the catalogue would change the tests with the next release.
 */
export async function writeCodexConfig(
  codexHome: string,
  endpointUrl: string,
  { shellSnapshots = false }: CodexHomeOptions = {},
): Promise<void> {
  await mkdir(codexHome, { recursive: true });
  await writeFile(
    join(codexHome, 'config.toml'),
    `model = "gpt-5.5"
model_provider = "fake"
check_for_update_on_startup = false

[model_providers.fake]
name = "fake"
base_url = "${endpointUrl}/v1"
wire_api = "responses"
requires_openai_auth = false
supports_websockets = false
request_max_retries = 1
stream_max_retries = 1

[analytics]
enabled = false

[features]
shell_snapshot = ${shellSnapshots}

[notice.model_migrations]
"gpt-5.5" = "gpt-6-sol"
`,
  );
}
