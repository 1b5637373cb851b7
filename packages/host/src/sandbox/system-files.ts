/** Of the system: programs and libraries, and what they are configured with. Nothing in it is one user's. */
export const systemFolders: readonly string[] = ['/usr', '/opt', '/nix', '/snap'];

/** Links into `/usr` on most systems, folders of their own on some. */
export const rootFolders: readonly string[] = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];

/** Names, certificates, time and libraries. Not the folder itself: it holds the system's own secrets too. */
export const systemSettings: readonly string[] = [
  ...['resolv.conf', 'hosts', 'hostname', 'host.conf', 'nsswitch.conf', 'gai.conf', 'services', 'protocols'],
  ...['ssl', 'pki', 'ca-certificates', 'ca-certificates.conf', 'crypto-policies'],
  ...['passwd', 'group', 'localtime', 'timezone', 'locale.alias', 'os-release', 'lsb-release', 'debian_version', 'machine-id'],
  ...['ld.so.cache', 'ld.so.conf', 'ld.so.conf.d', 'ld.so.preload', 'alternatives', 'mime.types', 'magic', 'terminfo', 'inputrc'],
  ...['profile', 'profile.d', 'bash.bashrc', 'environment', 'gitconfig', 'fonts', 'java-8-openjdk', 'java-11-openjdk', 'java-17-openjdk'],
].map((name) => `/etc/${name}`);

/** Variables that name files every program of the session needs: certificates, and who commits. */
export const fileVariables: readonly string[] = [
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS', 'CURL_CA_BUNDLE', 'REQUESTS_CA_BUNDLE', 'GIT_SSL_CAINFO'],
  ...['GIT_CONFIG_GLOBAL', 'GIT_CONFIG_SYSTEM'],
];

/** Of the user's home, for every vendor: who commits, and what git passes over. */
export const homeSettings: readonly string[] = ['.gitconfig', '.config/git/config', '.config/git/ignore', '.config/git/attributes'];
