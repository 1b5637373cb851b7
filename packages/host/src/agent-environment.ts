import type { Provider } from 'agent-relay-provider';
import { SESSION_VARIABLE, TREE_VARIABLE } from './marked-processes.ts';
import { trustedPath } from './trusted-path.ts';

/**
 * What a program of this machine needs to find its files, its network and its tools; `X_*` is every name that begins so. No keys: those of one
 * vendor, of a chat or of a cloud are no other vendor's business. What a vendor's own program reads is named by its provider.
 */
const everyPrograms: readonly string[] = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'PWD', 'TMPDIR', 'TMP', 'TEMP', 'XDG_*', 'HOSTNAME'],
  ...['LANG', 'LANGUAGE', 'LC_*', 'TZ', 'TERM', 'TERM_PROGRAM', 'COLORTERM', 'NO_COLOR', 'FORCE_COLOR', 'CI'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'no_proxy', 'all_proxy'],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'CURL_CA_BUNDLE', 'REQUESTS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS'],
  ...['EDITOR', 'VISUAL', 'PAGER', 'DISPLAY', 'WAYLAND_DISPLAY', 'DBUS_SESSION_BUS_ADDRESS', 'SSH_AUTH_SOCK', 'SSH_AGENT_PID'],
  ...['GIT_AUTHOR_*', 'GIT_COMMITTER_*', 'GIT_SSH', 'GIT_SSH_COMMAND', 'GIT_EXEC_PATH', 'GIT_CONFIG_GLOBAL', 'GIT_CONFIG_SYSTEM'],
  ...['NODE_OPTIONS', 'NODE_PATH', 'NVM_*', 'FNM_*', 'VOLTA_HOME', 'PNPM_HOME', 'COREPACK_*', 'BUN_INSTALL', 'DENO_DIR'],
  ...['PYTHONPATH', 'PYTHONHOME', 'VIRTUAL_ENV', 'CONDA_*', 'PYENV_*', 'UV_CACHE_DIR', 'GOPATH', 'GOROOT', 'GOCACHE', 'GOFLAGS', 'GOPROXY'],
  ...['CARGO_HOME', 'RUSTUP_HOME', 'RUSTUP_TOOLCHAIN', 'JAVA_HOME', 'GRADLE_USER_HOME', 'MAVEN_OPTS', 'ANDROID_HOME', 'ANDROID_SDK_ROOT'],
  ...[
    'RBENV_*',
    'GEM_HOME',
    'GEM_PATH',
    'SDKMAN_DIR',
    'ASDF_*',
    'MISE_*',
    'NIX_*',
    'HOMEBREW_*',
    'LD_LIBRARY_PATH',
    'DYLD_*',
    'PKG_CONFIG_PATH',
  ],
  ...['CC', 'CXX', 'CFLAGS', 'CXXFLAGS', 'LDFLAGS', 'MAKEFLAGS', 'DOCKER_HOST', 'KUBECONFIG'],
  ...[
    'SystemRoot',
    'SYSTEMROOT',
    'ComSpec',
    'COMSPEC',
    'PATHEXT',
    'Path',
    'APPDATA',
    'LOCALAPPDATA',
    'USERPROFILE',
    'ProgramFiles',
    'WINDIR',
  ],
];

/** Their names fit `X_*`, and what they hold is a key. */
const keys = /(?:TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY)S?$/iu;

export interface AgentEnvironmentOptions {
  /** The host's, by which the next one finds what this one started. */
  readonly mark: string;
  /** Of one kind of agent: the names it asks for are let through, its own keys among them. */
  readonly provider?: Pick<Provider, 'environment'>;
  /** What the owner of the machine lets through besides. */
  readonly allowed?: readonly string[];
  /** Folders in which agents write: no program is looked for there. */
  readonly agentFolders?: readonly string[];
  readonly agent?: { readonly sessionId: string; readonly agentId: string };
}

/** What an agent's processes know of this machine's environment, with the host's mark and the session's. Nothing of the relay's own programs is among it. */
export function agentEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  { mark, provider, allowed = [], agentFolders = [], agent }: AgentEnvironmentOptions,
): Record<string, string> {
  const isEveryones = matcher(everyPrograms);
  const isAsked = matcher([...(provider?.environment ?? []), ...allowed]);
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || name.startsWith('AGENT_RELAY_')) continue;
    if (isAsked(name) || (isEveryones(name) && !keys.test(name))) kept[name] = value;
  }
  for (const name of ['PATH', 'Path']) if (kept[name] !== undefined) kept[name] = trustedPath(kept[name], agentFolders);
  const outerTrees = env[TREE_VARIABLE];
  kept[TREE_VARIABLE] = outerTrees ? `${outerTrees},${mark}` : mark;
  return agent === undefined
    ? kept
    : { ...kept, ...withoutProxyHere(kept), [SESSION_VARIABLE]: agent.sessionId, AGENT_RELAY_AGENT_ID: agent.agentId };
}

const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]);
const here = ['localhost', '127.0.0.1', '::1'];

/** The relay's tools are asked for on this machine, with a secret that no proxy is shown: some vendors' programs ask through one unless they are told not to. */
function withoutProxyHere(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (!proxies.some((name) => env[name])) return {};
  const of = (name: string, other: string) => {
    const said = env[name] || env[other] || '';
    // Beside other names curl and Python take it for one of them, and would go through the proxy.
    return said.trim() === '*' ? said : [...new Set([...said.split(',').filter((host) => host !== ''), ...here])].join(',');
  };
  return { NO_PROXY: of('NO_PROXY', 'no_proxy'), no_proxy: of('no_proxy', 'NO_PROXY') };
}

/** Of these names those that both let through; where one list says nothing, the other counts. */
export function namesInBoth(names: readonly string[], one: readonly string[], other: readonly string[]): readonly string[] {
  if (one.length === 0) return other;
  const [isOfOne, isOfOther] = [matcher(one), matcher(other)];
  return names.filter((name) => isOfOne(name) && isOfOther(name));
}

/** What the owner's own commands get: all that this machine has, except what names the relay, with programs looked for where no agent writes. */
export function hookEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  { mark, agentFolders }: { readonly mark: string; readonly agentFolders: readonly string[] },
): Record<string, string> {
  return agentEnvironment(env, { mark, allowed: ['*'], agentFolders });
}

/** Whether a name is one of these; `X_*` is every name that begins with `X_`. */
function matcher(patterns: readonly string[]): (name: string) => boolean {
  const names = new Set(patterns);
  const beginnings = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1));
  return (name) => names.has(name) || beginnings.some((beginning) => name.startsWith(beginning));
}
