# Installs agent-relay-codex and adds its plugin to Codex:
#   irm https://unpkg.com/agent-relay-codex@latest/install-codex.ps1 | iex
# Options go through a block: & ([scriptblock]::Create((irm https://unpkg.com/agent-relay-codex@latest/install-codex.ps1))) --alias
$ErrorActionPreference = 'Stop'

function Test-Program([string] $name, [string] $hint) {
  if (-not (Get-Command $name -ErrorAction SilentlyContinue)) { throw "install-codex: $hint" }
}

Test-Program 'node' 'Node.js 20.19 or newer is needed: https://nodejs.org'
$found = (& node --version).TrimStart('v')
if ([version] $found -lt [version] '20.19.0') { throw "install-codex: Node.js 20.19 or newer is needed, this is $found" }
Test-Program 'npm' 'npm is needed; it comes with Node.js'
Test-Program 'codex' 'Codex is needed: npm install -g @openai/codex'

$wanted = if ($env:AGENT_RELAY_CODEX_VERSION) { $env:AGENT_RELAY_CODEX_VERSION } else { 'latest' }
& npm install --global "agent-relay-codex@$wanted"
if ($LASTEXITCODE -ne 0) { throw 'install-codex: npm could not install agent-relay-codex' }
Test-Program 'agent-relay-codex' "npm's programs are not on your PATH: open a new shell, and run agent-relay-codex install"
& agent-relay-codex install @args
if ($LASTEXITCODE -ne 0) { throw 'install-codex: agent-relay-codex install failed' }
