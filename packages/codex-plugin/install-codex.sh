#!/bin/sh
# Installs agent-relay-codex and adds its plugin to Codex. What follows goes to `agent-relay-codex install`:
#   curl -fsSL https://unpkg.com/agent-relay-codex@latest/install-codex.sh | sh -s -- --alias
set -eu

fail() {
  echo "install-codex: $1" >&2
  exit 1
}

command -v node >/dev/null 2>&1 || fail 'Node.js 20.19 or newer is needed: https://nodejs.org'
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  fail "Node.js 20.19 or newer is needed, this is $(node --version)"
command -v npm >/dev/null 2>&1 || fail 'npm is needed; it comes with Node.js'
command -v codex >/dev/null 2>&1 || fail 'Codex is needed: npm install -g @openai/codex'

npm install --global "agent-relay-codex@${AGENT_RELAY_CODEX_VERSION:-latest}"
command -v agent-relay-codex >/dev/null 2>&1 ||
  fail "npm's programs are not on your PATH: add $(npm prefix --global)/bin to it, and run agent-relay-codex install"
exec agent-relay-codex install "$@"
